// A thread's registers on the hosted machine: a fiber with a stack of its own. User mode is a host
// function: prepare_user_context takes its address as `pc`. See
// arch/riscv/include/arch/context.h for what the functions promise.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/types.h"

namespace hosted {
class Fiber;
}

namespace arch {

class PageTable;

struct UserFrame {
    uint64_t x[32];
    uint64_t pc;
    uint64_t status;
};

inline constexpr size_t kUserFrameSize = (sizeof(UserFrame) + 15) & ~size_t{15};

struct ThreadContext {
    ThreadContext();
    ~ThreadContext();

    UserFrame* frame = nullptr;
    uint64_t satp = 0;
    std::atomic<uint32_t>* space_harts = nullptr;
    hosted::Fiber* fiber = nullptr;  // given back with the context
};

void prepare_kernel_context(ThreadContext& context, void* stack_top, void (*entry)(void*),
                            void* argument);
void prepare_user_context(ThreadContext& context, void* stack_top, const PageTable& table,
                          void (*first)(void*), void* argument, VirtualAddress pc,
                          VirtualAddress sp, uint64_t a0, uint64_t a1);
void switch_context(ThreadContext& from, ThreadContext& to);
void leave_address_space(ThreadContext& current);
void read_registers(const ThreadContext& context, kairos_thread_general& out);
void write_registers(ThreadContext& context, const kairos_thread_general& in);
void read_registers(const ThreadContext& context, kairos_thread_float& out);
void write_registers(ThreadContext& context, const kairos_thread_float& in);
void put_fpu_away(ThreadContext& current);
void drop_fpu(ThreadContext& context);

}  // namespace arch
