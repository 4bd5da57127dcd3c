// A thread's registers: the user frame at the top of its kernel stack, what a switch keeps, and the
// FPU. Only Thread and the scheduler use this; nothing else sees registers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/types.h"

namespace arch {

struct HartBlock;
class PageTable;

// User registers as trap entry saves them. Interrupts and faults save everything. A system call
// saves pc, ra, sp and tp: the kernel's functions preserve s0-s11 and gp, t0-t6 and a1-a7 come
// back as zeros, a0 as the result. When attend() is called the frame is complete either way, and
// what it then holds is what the thread goes on with.
struct UserFrame {
    uint64_t x[32];  // x[0] is unused, x[1] is ra, x[2] sp, ... as the ISA numbers them
    uint64_t pc;
    uint64_t status;  // sstatus when the frame was completed; for reports, never restored
};

// Bytes at the top of a kernel stack that belong to the frame; keeps the stack 16-byte aligned.
inline constexpr size_t kUserFrameSize = (sizeof(UserFrame) + 15) & ~size_t{15};

struct FpuState {
    uint64_t f[32];
    uint64_t fcsr;
};

struct ThreadContext {
    uint64_t ra = 0;  // kernel context, kept across switch_context
    uint64_t sp = 0;
    uint64_t s[12] = {};
    uint64_t gp = 0;
    UserFrame* frame = nullptr;  // null for kernel threads
    uint64_t satp = 0;           // the address space it runs in; 0: the kernel's own
    std::atomic<uint32_t>* space_harts = nullptr;  // PageTable::harts of that address space
    HartBlock* fpu_home = nullptr;  // the hart whose FPU got this context's values last
    bool fpu_used = false;          // fpu has values; otherwise they are all zero
    FpuState fpu;                   // not set until they are used: most threads never do
};

// Prepares a context whose first switch runs `entry(argument)` on the given stack, in the kernel's
// address space. For idle and other kernel threads; `entry` does not return.
void prepare_kernel_context(ThreadContext& context, void* stack_top, void (*entry)(void*),
                            void* argument);

// Prepares a context whose first switch calls `first(argument)` (the scheduler's epilogue of a
// switch) and then enters user mode at `pc` with the given sp, a0 and a1, every other register
// zero, FPU off until used.
void prepare_user_context(ThreadContext& context, void* stack_top, const PageTable& table,
                          void (*first)(void*), void* argument, VirtualAddress pc,
                          VirtualAddress sp, uint64_t a0, uint64_t a1);

// Switches this hart from one thread to another: FPU saved if dirty, address space changed if it
// differs. Returns when `from` is switched to again, on whatever hart that is. Interrupts are off.
void switch_context(ThreadContext& from, ThreadContext& to);

// Leaves the current address space for the kernel's own (a thread that takes its process down).
void leave_address_space(ThreadContext& current);

// The user registers of a thread that is stopped where it would leave the kernel, which has put its
// FPU away. Whatever is written, the thread stays in user mode.
void read_registers(const ThreadContext& context, kairos_thread_general& out);
void write_registers(ThreadContext& context, const kairos_thread_general& in);
void read_registers(const ThreadContext& context, kairos_thread_float& out);
void write_registers(ThreadContext& context, const kairos_thread_float& in);

// Saves the current thread's FPU values, so that its context has them and whatever is written there
// is loaded before its next floating-point instruction.
void put_fpu_away(ThreadContext& current);

// Forgets FPU values of a context that is going away or was run on another hart.
void drop_fpu(ThreadContext& context);

}  // namespace arch
