// The hart as the processor knows it: its block of state that assembly reaches, interrupt windows,
// waiting. Kernel code runs with interrupts off; they are taken in user mode, while idle, and in
// the windows opened here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace arch {

struct UserFrame;
struct ThreadContext;

// A system call: register arguments in, a0's value out. Entries are called by trap entry directly.
using SystemCall = int64_t (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

inline constexpr uint32_t kHartFlags = 8;

// The first member of the kernel's Hart. `tp` points at it while in the kernel; `sscratch` does
// while in user mode and is zero in the kernel, which is how a trap tells where it came from.
// Offsets are asserted in arch/riscv/offsets.h.
struct HartBlock {
    UserFrame* frame = nullptr;  // where the next trap from user mode saves its registers
    uint64_t scratch = 0;        // room for one register at trap entry; the stack of a new hart
    uint32_t attention = 0;      // attention:: bits; checked on the way out to user mode
    uint32_t bit = 0;            // 1 << the hart's index: this hart in a set of harts
    uint64_t system_calls = 0;   // counted by trap entry
    ThreadContext* current = nullptr;
    ThreadContext* fpu_owner = nullptr;  // whose values the FPU registers hold, if anybody's
    uint64_t satp = 0;                   // what is in the CSR now
    uint64_t emergency_stack = 0;        // top of a stack to report a fault on
    // The table that trap entry calls by number on this hart; set before it runs user code.
    std::atomic<const SystemCall*> system_call_table{nullptr};
    // What hart_flag reads; written by any hart.
    std::atomic<uint8_t> flags[kHartFlags] = {};

    // Where this hart was when it stopped for good (smp.h).
    std::atomic<bool> stopped{false};
    uint64_t stopped_pc = 0;
    uint64_t stopped_frame_pointer = 0;
};

inline constexpr uint32_t kFlagsOffset = 72;  // of HartBlock::flags, asserted in offsets.h

// This hart's block: the Hart object that it begins.
inline HartBlock* hart_block() {
    HartBlock* block;
    asm volatile("mv %0, tp" : "=r"(block));  // volatile: a thread may come back on another hart
    return block;
}

// How many instructions this hart has executed.
inline uint64_t retired_instructions() {
    uint64_t count;
    asm volatile("rdinstret %0" : "=r"(count) : : "memory");
    return count;
}

// Whether a flag of this hart is set: one instruction, and a branch in the caller.
template <uint32_t kNumber>
inline bool hart_flag() {
    uint64_t flag;  // volatile: a thread may come back on another hart
    asm volatile("lbu %0, %1(tp)" : "=r"(flag) : "i"(kFlagsOffset + kNumber));
    return flag != 0;
}

// Waits a little inside a spin loop, and parks this hart when the machine is stopping.
void relax();

// Lets pending interrupts in, then closes the window again. The handlers only take note; whoever
// opens the window decides about switching afterwards. No lock may be held.
void open_interrupt_window();

// Sleeps until an interrupt is pending, then lets it in. Called by the idle loop alone, which has
// checked that there is nothing to run: with interrupts off, so that no wake is missed.
void idle_until_interrupt();

}  // namespace arch
