// The hart as the processor knows it: its block of state that assembly reaches, interrupt windows,
// waiting. Kernel code runs with interrupts off; they are taken in user mode, while idle, and in
// the windows opened here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arch {

struct UserFrame;
struct ThreadContext;

// The first member of the kernel's Hart. `tp` points at it while in the kernel; `sscratch` does
// while in user mode and is zero in the kernel, which is how a trap tells where it came from.
// Offsets are asserted in arch/riscv/offsets.h.
struct HartBlock {
    UserFrame* frame = nullptr;  // where the next trap from user mode saves its registers
    uint64_t scratch = 0;        // one register's worth of room for trap entry
    uint32_t attention = 0;      // attention:: bits; checked on the way out to user mode
    uint32_t reserved = 0;
    uint64_t system_calls = 0;  // counted by trap entry
    ThreadContext* current = nullptr;
    ThreadContext* fpu_owner = nullptr;  // whose values the FPU registers hold, if anybody's
    uint64_t satp = 0;                   // what is in the CSR now
};

// This hart's block: the Hart object that it begins.
inline HartBlock* hart_block() {
    HartBlock* block;
    asm("mv %0, tp" : "=r"(block));  // not volatile: constant while a thread stays on its hart
    return block;
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
