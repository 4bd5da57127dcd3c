// Switching threads, and moving the FPU's registers. The first entry to user mode is in trap.S.
#include "offsets.h"

    .cfi_sections .debug_frame
    .text

// void arch::switch_context(ThreadContext& from, ThreadContext& to)
// Ordinary call from the scheduler, interrupts off; returns on the stack of `to`. As it is a call,
// only what a function preserves is exchanged, and the user's gp, which the kernel preserves too.
// Once `from` has its registers, all of them are free here.
    .globl  _ZN4arch14switch_contextERNS_13ThreadContextES1_
_ZN4arch14switch_contextERNS_13ThreadContextES1_:
    .cfi_startproc
    sd      ra, CONTEXT_RA(a0)
    sd      sp, CONTEXT_SP(a0)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd      s\n, CONTEXT_S(\n)(a0)
    .endr
    sd      gp, CONTEXT_GP(a0)

    // The FPU (fpu.h): newer values are saved, then it is on only if `to` has its values in it.
    csrr    t0, sstatus
    li      t1, SSTATUS_FS
    and     t0, t0, t1
    beqz    t0, 2f
    bne     t0, t1, 1f
    addi    a0, a0, CONTEXT_FPU
    call    save_fpu_registers
    li      t1, SSTATUS_FS
1:  csrc    sstatus, t1
2:  ld      t0, HART_FPU_OWNER(tp)
    bne     t0, a1, 3f
    ld      t0, CONTEXT_FPU_HOME(a1)
    bne     t0, tp, 3f
    li      t1, SSTATUS_FS_CLEAN
    csrs    sstatus, t1

    // The address space, if it is another one. Special cases are enter_space's: the kernel's own
    // (satp 0), one that this hart was never in, one without a number.
3:  ld      t0, CONTEXT_SATP(a1)
    ld      t1, HART_SATP(tp)
    beq     t0, t1, 5f
    slli    t1, t0, 64 - SATP_ASID_SHIFT - SATP_ASID_BITS
    srli    t1, t1, 64 - SATP_ASID_BITS
    beqz    t1, 4f
    ld      t1, CONTEXT_SPACE_HARTS(a1)
    lw      t1, 0(t1)
    lw      t2, HART_BIT(tp)
    and     t1, t1, t2
    beqz    t1, 4f
    csrw    satp, t0
    sd      t0, HART_SATP(tp)
    j       5f
4:  mv      s0, a1
    mv      a0, a1
    call    enter_space
    mv      a1, s0

5:  ld      t0, CONTEXT_FRAME(a1)
    sd      t0, HART_FRAME(tp)
    sd      a1, HART_CURRENT(tp)
    ld      ra, CONTEXT_RA(a1)
    ld      sp, CONTEXT_SP(a1)
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld      s\n, CONTEXT_S(\n)(a1)
    .endr
    ld      gp, CONTEXT_GP(a1)
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

// void save_fpu_registers(FpuState& state); FS is not Off.
// Called by switch_context, and by fpu.cpp. Clobbers t0.
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
// Ordinary call from fpu.cpp. Clobbers t0.
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
