// Switching kernel stacks, and moving the FPU's registers. What surrounds a switch (FPU, address
// space) is in context.cpp; the first entry to user mode in trap.S.
#include "offsets.h"

    .cfi_sections .debug_frame
    .text

// void switch_registers(ThreadContext& from, ThreadContext& to)
// A call to its callers, so only what a function preserves is exchanged, and the user's gp, which
// the kernel leaves in its register. Called with interrupts off by switch_context.
    .globl  switch_registers
switch_registers:
    .cfi_startproc
    sd      ra, CONTEXT_RA(a0)
    sd      sp, CONTEXT_SP(a0)
    sd      s0, CONTEXT_S(0)(a0)
    sd      s1, CONTEXT_S(1)(a0)
    sd      s2, CONTEXT_S(2)(a0)
    sd      s3, CONTEXT_S(3)(a0)
    sd      s4, CONTEXT_S(4)(a0)
    sd      s5, CONTEXT_S(5)(a0)
    sd      s6, CONTEXT_S(6)(a0)
    sd      s7, CONTEXT_S(7)(a0)
    sd      s8, CONTEXT_S(8)(a0)
    sd      s9, CONTEXT_S(9)(a0)
    sd      s10, CONTEXT_S(10)(a0)
    sd      s11, CONTEXT_S(11)(a0)
    ld      t0, CONTEXT_FRAME(a1)
    beqz    t0, 1f                  // a kernel thread has no gp
    ld      gp, FRAME_X(3)(t0)
1:  ld      ra, CONTEXT_RA(a1)
    ld      sp, CONTEXT_SP(a1)
    ld      s0, CONTEXT_S(0)(a1)
    ld      s1, CONTEXT_S(1)(a1)
    ld      s2, CONTEXT_S(2)(a1)
    ld      s3, CONTEXT_S(3)(a1)
    ld      s4, CONTEXT_S(4)(a1)
    ld      s5, CONTEXT_S(5)(a1)
    ld      s6, CONTEXT_S(6)(a1)
    ld      s7, CONTEXT_S(7)(a1)
    ld      s8, CONTEXT_S(8)(a1)
    ld      s9, CONTEXT_S(9)(a1)
    ld      s10, CONTEXT_S(10)(a1)
    ld      s11, CONTEXT_S(11)(a1)
    ret
    .cfi_endproc

// The first switch to a kernel thread comes here (prepare_kernel_context).
// In: s1 = function, s2 = its argument, sp = the thread's stack. Does not return.
    .globl  start_kernel_thread
start_kernel_thread:
    .cfi_startproc
    .cfi_undefined ra
    mv      a0, s2
    jalr    s1
    ebreak                          // `entry` returned
    .cfi_endproc

    .option push
    .option arch, +d

// void save_fpu_registers(FpuState& state); FS is not Off. Called by context.cpp.
    .globl  save_fpu_registers
save_fpu_registers:
    .cfi_startproc
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, \
        23, 24, 25, 26, 27, 28, 29, 30, 31
    fsd     f\n, FPU_F(\n)(a0)
    .endr
    frcsr   t0
    sd      t0, FPU_FCSR(a0)
    ret
    .cfi_endproc

// void load_fpu_registers(const FpuState& state); FS is not Off, and Dirty afterwards.
    .globl  load_fpu_registers
load_fpu_registers:
    .cfi_startproc
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, \
        23, 24, 25, 26, 27, 28, 29, 30, 31
    fld     f\n, FPU_F(\n)(a0)
    .endr
    ld      t0, FPU_FCSR(a0)
    fscsr   t0
    ret
    .cfi_endproc
    .option pop
