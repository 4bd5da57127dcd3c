// Making contexts, and the rarer part of switching between them; the rest is in context.S.
#include "arch/context.h"

#include "arch/hart.h"
#include "arch/paging.h"
#include "csr.h"
#include "kernel_map.h"
#include "offsets.h"
#include "tlb.h"

extern "C" {
void start_kernel_thread();
void start_user_thread();
void enter_space(const arch::ThreadContext& context);
}

namespace arch {
namespace {

uint64_t asid_of(uint64_t satp) {
    return satp >> SATP_ASID_SHIFT & ((uint64_t{1} << SATP_ASID_BITS) - 1);
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

void read_registers(const ThreadContext& context, kairos_thread_general& out) {
    out.pc = context.frame->pc;
    out.x[0] = 0;
    for (int i = 1; i < 32; ++i) out.x[i] = context.frame->x[i];
}

void write_registers(ThreadContext& context, const kairos_thread_general& in) {
    context.frame->pc = in.pc;  // an sret to an address of the kernel faults in user mode
    for (int i = 1; i < 32; ++i) context.frame->x[i] = in.x[i];
}

void leave_address_space(ThreadContext& current) {
    current.satp = 0;
    current.space_harts = nullptr;
    enter_space(current);
}

}  // namespace arch

// Makes the context's address space this hart's, whatever has to be done for it. Called by
// switch_context where its short way does not apply.
void enter_space(const arch::ThreadContext& context) {
    using namespace arch;
    HartBlock& hart = *hart_block();
    const uint64_t satp = context.satp != 0 ? context.satp : kernel_satp;
    const uint64_t asid = asid_of(satp);
    if (context.space_harts != nullptr &&
        (context.space_harts->fetch_or(hart.bit, std::memory_order_seq_cst) & hart.bit) == 0) {
        flush_local_asid(asid);                  // A1 and A2 of tlb.h
        asm volatile("fence.i" : : : "memory");  // its code may have been written on another hart
    }
    csr::write<csr::kSatp>(satp);
    // Address spaces without a number share 0, with the kernel's own, which maps nothing.
    if (asid == 0 && context.satp != 0) flush_local_asid(0);
    hart.satp = satp;
}
