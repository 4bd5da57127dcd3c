# Where programs and threads begin, and where threads end. Everything here runs where a function
# cannot: before the program is relocated, before a thread has its tp, after it has given its stack
# away.
#include <kairos/abi/syscalls.h>

# KAIROS_SYS_futex_wake and so on, by counting the table's lines.
    .set number, 0
#define NUMBER(name) .set KAIROS_SYS_##name, number; .set number, number + 1;
    KAIROS_SYSCALLS(NUMBER)
#undef NUMBER

# _start: entry of every program (abi/startup.h).
#   in: a0 the channel with the startup messages; sp the top of the stack, on a multiple of 16.
#   Does not return. Nothing is relocated yet: only addresses relative to pc may be used.
    .section .text.start, "ax", @progbits
    .globl  _start
    .type   _start, @function
_start:
    .cfi_startproc
    .cfi_undefined ra
    mv      s1, a0
    mv      s0, zero                # ends the chain of frames
    lla     a0, __ehdr_start        # linked at 0, so this is the load bias
    lla     a1, _DYNAMIC
    call    kairos_relocate_self
    mv      a0, s1
    call    kairos_start_program
    ebreak
    .cfi_endproc
    .size   _start, . - _start

# kairos_thread_entry: entry of every thread of kairos_thread_spawn.
#   in: a0 its thread pointer; sp the top of its stack. Does not return.
    .section .text.kairos_thread_entry, "ax", @progbits
    .globl  kairos_thread_entry
    .hidden kairos_thread_entry
    .type   kairos_thread_entry, @function
kairos_thread_entry:
    .cfi_startproc
    .cfi_undefined ra
    mv      s0, zero
    mv      tp, a0
    call    kairos_run_thread
    ebreak
    .cfi_endproc
    .size   kairos_thread_entry, . - kairos_thread_entry

# kairos_leave_stack: ends the thread, unlocking a kairos_mutex on the way.
#   in: a0 the address of the mutex, which the thread holds. Does not return.
#   From the unlocking on, the stack may be another thread's or be unmapped: it is not touched.
    .section .text.kairos_leave_stack, "ax", @progbits
    .globl  kairos_leave_stack
    .hidden kairos_leave_stack
    .type   kairos_leave_stack, @function
kairos_leave_stack:
    amoswap.w.rl t0, zero, (a0)     # 2: somebody sleeps on it (sync.cpp)
    li      t1, 2
    bne     t0, t1, 1f
    li      a1, 1
    li      a7, KAIROS_SYS_futex_wake
    ecall
1:  li      a7, KAIROS_SYS_thread_exit
    ecall
    ebreak
    .size   kairos_leave_stack, . - kairos_leave_stack

    .section .note.GNU-stack, "", @progbits
