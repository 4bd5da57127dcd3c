// Making contexts and switching between them.
#include "arch/context.h"

#include "arch/hart.h"
#include "arch/paging.h"
#include "csr.h"
#include "fpu.h"
#include "kernel_map.h"
#include "offsets.h"
#include "sync/hart.h"
#include "tlb.h"

extern "C" {
void switch_registers(arch::ThreadContext& from, arch::ThreadContext& to);
void start_kernel_thread();
void start_user_thread();
}

namespace arch {
namespace {

constexpr unsigned kAsidShift = 44;
constexpr uint64_t kAsidMask = 0xffff;

bool fpu_is_on() { return (csr::read<csr::kSstatus>() & SSTATUS_FS) != 0; }

// Enters this hart in the set of those that have run in an address space (tlb.h: A1, A2).
void join_space(std::atomic<uint32_t>& harts, uint64_t asid) {
    const uint32_t bit = 1u << this_hart().index.value;
    if ((harts.load(std::memory_order_relaxed) & bit) != 0) return;
    harts.fetch_or(bit, std::memory_order_seq_cst);
    flush_local_asid(asid);
}

void enter_space(HartBlock& hart, uint64_t satp, std::atomic<uint32_t>* harts) {
    const uint64_t asid = satp >> kAsidShift & kAsidMask;
    if (harts != nullptr) join_space(*harts, asid);
    csr::write<csr::kSatp>(satp);
    if (asid == 0) flush_local_asid(0);  // shared by all address spaces without a number
    hart.satp = satp;
}

// A context that begins at `start`, with `function` and `argument` in the registers it looks in.
void prepare(ThreadContext& context, uint64_t sp, void (*start)(), void (*function)(void*),
             void* argument) {
    context.ra = reinterpret_cast<uint64_t>(start);
    context.sp = sp;
    for (uint64_t& s : context.s) s = 0;  // s0 too: it ends the chain of frames
    context.s[1] = reinterpret_cast<uint64_t>(function);
    context.s[2] = reinterpret_cast<uint64_t>(argument);
    drop_fpu(context);
}

}  // namespace

void prepare_kernel_context(ThreadContext& context, void* stack_top, void (*entry)(void*),
                            void* argument) {
    prepare(context, reinterpret_cast<uint64_t>(stack_top), start_kernel_thread, entry, argument);
    context.frame = nullptr;
    context.satp = 0;
    context.space_harts = nullptr;
}

void prepare_user_context(ThreadContext& context, void* stack_top, const PageTable& table,
                          void (*first)(void*), void* argument, VirtualAddress pc,
                          VirtualAddress sp, uint64_t a0, uint64_t a1) {
    auto* frame =
        reinterpret_cast<UserFrame*>(reinterpret_cast<uint64_t>(stack_top) - kUserFrameSize);
    *frame = {};
    frame->x[2] = sp.value;
    frame->x[10] = a0;
    frame->x[11] = a1;
    frame->pc = pc.value;
    prepare(context, reinterpret_cast<uint64_t>(frame), start_user_thread, first, argument);
    context.frame = frame;
    context.satp = table.satp();
    context.space_harts = &table.harts();
}

void switch_context(ThreadContext& from, ThreadContext& to) {
    HartBlock& hart = *hart_block();
    if (fpu_is_on() || hart.fpu_owner == &to) [[unlikely]]
        switch_fpu(hart, from, to);
    const uint64_t satp = to.satp != 0 ? to.satp : kernel_satp;
    if (satp != hart.satp) enter_space(hart, satp, to.space_harts);
    hart.frame = to.frame;
    hart.current = &to;
    switch_registers(from, to);
}

void leave_address_space(ThreadContext& current) {
    current.satp = 0;
    current.space_harts = nullptr;
    enter_space(*hart_block(), kernel_satp, nullptr);
}

}  // namespace arch
