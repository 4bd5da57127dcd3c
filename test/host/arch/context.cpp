// Contexts as fibers. A context goes on in whatever host thread switches to it, so nothing on the
// way may remember which hart it was on.
#include "arch/context.h"

#include "arch/hart.h"
#include "arch/paging.h"
#include "hosted/fiber.h"

namespace arch {

ThreadContext::ThreadContext() = default;
ThreadContext::~ThreadContext() {
    if (fiber != nullptr) hosted::Fiber::give_back(*fiber);
}

void prepare_kernel_context(ThreadContext& context, void*, void (*entry)(void*), void* argument) {
    context.fiber = &hosted::Fiber::take([=] { entry(argument); });
}

void prepare_user_context(ThreadContext& context, void*, const PageTable& table,
                          void (*first)(void*), void* argument, VirtualAddress pc, VirtualAddress,
                          uint64_t a0, uint64_t a1) {
    context.satp = table.satp();
    context.space_harts = &table.harts();
    context.fiber = &hosted::Fiber::take([=] {
        first(argument);
        reinterpret_cast<void (*)(uint64_t, uint64_t)>(pc.value)(a0, a1);
    });
}

void switch_context(ThreadContext& from, ThreadContext& to) {
    HartBlock* block = hart_block();
    block->current = &to;
    block->satp = to.satp;
    if (to.space_harts != nullptr) to.space_harts->fetch_or(block->bit);
    if (from.fiber == nullptr) from.fiber = &hosted::Fiber::take_for_this_stack();
    hosted::Fiber::change(*from.fiber, *to.fiber);
}

void leave_address_space(ThreadContext& current) {
    current.satp = 0;
    current.space_harts = nullptr;
    hart_block()->satp = 0;
}

// User registers are the host's own, and nobody looks at them.
void read_registers(const ThreadContext&, kairos_thread_general& out) { out = {}; }
void write_registers(ThreadContext&, const kairos_thread_general&) {}
void read_registers(const ThreadContext&, kairos_thread_float& out) { out = {}; }
void write_registers(ThreadContext&, const kairos_thread_float&) {}
void put_fpu_away(ThreadContext&) {}
void drop_fpu(ThreadContext&) {}

}  // namespace arch
