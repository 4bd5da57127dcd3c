// Traps: system calls, interrupts and faults of user mode, and what the kernel itself may run into.
//
// Which stack and which hart: in user mode sscratch holds the hart's block; in the kernel sscratch
// is zero and tp holds the block. The block's `frame` is where the running thread's user registers
// go; below it the thread's kernel stack begins.
//
// sstatus: while functions of the kernel run, SPP is 0 and SPIE is 1, so that an sret leads to user
// mode with interrupts on. A trap from user mode makes it so and every sret leaves it so; only a
// trap from the kernel has to set them. FS belongs to switch_context and is not restored from
// frames.
//
// gp is the user's throughout: the kernel is linked without it, and keeps it as it does s0-s11.
#include "offsets.h"

    .cfi_sections .debug_frame

.macro save_x numbers:vararg
    .irp    n, \numbers
    sd      x\n, 8 * \n(sp)
    .endr
.endm

.macro load_x numbers:vararg
    .irp    n, \numbers
    ld      x\n, 8 * \n(sp)
    .endr
.endm

// Tells a debugger that sp points to a UserFrame in which these registers and the pc are found.
.macro cfi_frame numbers:vararg
    .cfi_signal_frame
    .cfi_return_column 64
    .cfi_def_cfa sp, 0
    .cfi_offset 64, FRAME_PC
    .irp    n, \numbers
    .cfi_offset \n, 8 * \n
    .endr
.endm

    .section .text.trap, "ax"

// Every trap. In: as the hardware leaves it, registers the interrupted code's.
    .balign 4
    .globl  trap_entry
trap_entry:
    .cfi_startproc
    cfi_frame 1, 2, 4
    csrrw   tp, sscratch, tp
    beqz    tp, trap_from_kernel
    sd      sp, HART_SCRATCH(tp)
    csrr    sp, scause
    addi    sp, sp, -CAUSE_USER_ECALL
    bnez    sp, trap_from_user

// A system call: number in a7, arguments in a0 to a5, all other registers the user's. It is a
// function call to its user, so little is saved; the called function preserves s0-s11 and gp, and
// t0-t6, a1-a7 go back as zeros. Calls entry a7 of the hart's table with the arguments in place.
    ld      sp, HART_FRAME(tp)
    sd      ra, FRAME_X(1)(sp)
    csrr    t0, sepc
    addi    t0, t0, 4
    sd      t0, FRAME_PC(sp)
    csrrw   t1, sscratch, zero
    sd      t1, FRAME_X(4)(sp)
    ld      t2, HART_SCRATCH(tp)
    sd      t2, FRAME_X(2)(sp)
    ld      t3, HART_SYSTEM_CALLS(tp)
    addi    t3, t3, 1
    sd      t3, HART_SYSTEM_CALLS(tp)
    ld      t4, system_call_count
    bgeu    a7, t4, system_call_unknown
    slli    t5, a7, 3
    ld      t6, HART_SYSTEM_CALL_TABLE(tp)
    add     t6, t6, t5
    ld      t6, 0(t6)
    .globl  user_calls_begin        // return addresses from here on end a backtrace
user_calls_begin:
    jalr    t6
system_call_return:
    lw      t0, HART_ATTENTION(tp)
    bnez    t0, system_call_attention
    ld      t0, FRAME_PC(sp)
    csrw    sepc, t0
    csrw    sscratch, tp
    ld      ra, FRAME_X(1)(sp)
    ld      tp, FRAME_X(4)(sp)
    .irp    n, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    li      x\n, 0
    .endr
    ld      sp, FRAME_X(2)(sp)
    sret

system_call_unknown:
    call    unknown_system_call
    j       system_call_return

// The long way back from a system call: completes the frame, so that attend() sees a thread's
// registers as they will be.
system_call_attention:
    save_x  3, 8, 9, 10, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    .irp    n, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    sd      zero, FRAME_X(\n)(sp)
    .endr
    csrr    t0, sstatus
    sd      t0, FRAME_STATUS(sp)
    j       leave_kernel
    .cfi_endproc

// An interrupt or fault of user mode: everything is saved. In: tp = block, the user's tp in
// sscratch, its sp in the block's scratch. Calls handle_user_trap(frame, scause, stval).
trap_from_user:
    .cfi_startproc
    cfi_frame 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, \
        24, 25, 26, 27, 28, 29, 30, 31
    ld      sp, HART_FRAME(tp)
    save_x  1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, \
        26, 27, 28, 29, 30, 31
    csrrw   t0, sscratch, zero
    sd      t0, FRAME_X(4)(sp)
    ld      t0, HART_SCRATCH(tp)
    sd      t0, FRAME_X(2)(sp)
    csrr    t0, sepc
    sd      t0, FRAME_PC(sp)
    csrr    t0, sstatus
    sd      t0, FRAME_STATUS(sp)
    mv      a0, sp
    csrr    a1, scause
    csrr    a2, stval
    call    handle_user_trap

// Back to user mode with what the frame says, after the kernel has attended to what it must.
// In: sp = frame, nothing else.
leave_kernel:
    lw      t0, HART_ATTENTION(tp)
    beqz    t0, 1f
    call    attend
    j       leave_kernel
1:  ld      t0, FRAME_PC(sp)
    csrw    sepc, t0
    csrw    sscratch, tp
    load_x  1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, \
        25, 26, 27, 28, 29, 30, 31
    ld      sp, FRAME_X(2)(sp)
    sret

// The first switch to a user thread comes here (prepare_user_context).
// In: sp = frame, s1 = function to call first, s2 = its argument.
    .globl  start_user_thread
start_user_thread:
    mv      a0, s2
    jalr    s1
    j       leave_kernel
    .globl  user_calls_end
user_calls_end:
    .cfi_endproc

// A trap in the kernel. In: tp and sscratch swapped, so tp = 0; the kernel's registers.
// Interrupts come only where they were let in, on a sound stack; exceptions are expected in the
// user-copy code alone, which uses no stack. Calls handle_kernel_trap(registers, scause, stval),
// which may change the pc to return to. Saves what a function may clobber.
trap_from_kernel:
    .cfi_startproc
    cfi_frame 1, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    csrrw   tp, sscratch, tp
    sd      t0, HART_SCRATCH(tp)
    csrr    t0, scause
    bltz    t0, 1f
    csrw    sscratch, t1            // zero in the kernel; holds t1 for a moment
    csrr    t0, sepc
    la      t1, user_copy_begin
    bltu    t0, t1, kernel_fault
    la      t1, user_copy_end
    bgeu    t0, t1, kernel_fault
    csrrw   t1, sscratch, zero
1:  ld      t0, HART_SCRATCH(tp)
    addi    sp, sp, -KERNEL_FRAME_SIZE
    .cfi_offset 2, KERNEL_FRAME_SIZE
    save_x  1, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    csrr    t0, sepc
    csrr    t1, sstatus
    sd      t0, FRAME_PC(sp)
    sd      t1, FRAME_STATUS(sp)
    sd      t0, KERNEL_FRAME_RECORD_PC(sp)
    sd      s0, KERNEL_FRAME_RECORD_FP(sp)
    addi    s0, sp, KERNEL_FRAME_SIZE
    li      t2, SSTATUS_SUM | SSTATUS_SPP
    csrc    sstatus, t2
    li      t2, SSTATUS_SPIE
    csrs    sstatus, t2
    mv      a0, sp
    csrr    a1, scause
    csrr    a2, stval
    call    handle_kernel_trap
    ld      t0, FRAME_PC(sp)
    csrw    sepc, t0
    ld      t0, FRAME_STATUS(sp)    // as it was, but for FS
    csrr    t1, sstatus
    xor     t1, t1, t0
    li      t2, SSTATUS_FS
    and     t1, t1, t2
    xor     t0, t0, t1
    csrw    sstatus, t0
    load_x  1, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    addi    sp, sp, KERNEL_FRAME_SIZE
    sret
    .cfi_endproc

// A fault of the kernel's own: a defect. Its stack may be what is wrong (the guard page below it
// was hit), so it is reported on a stack kept for this. Does not return; a second fault on the way
// starts over on the same stack. In: tp = block, t0 in its scratch, t1 in sscratch.
kernel_fault:
    .cfi_startproc
    cfi_frame 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, \
        24, 25, 26, 27, 28, 29, 30, 31
    csrrw   t1, sscratch, zero
    ld      t0, HART_SCRATCH(tp)
    sd      sp, HART_SCRATCH(tp)
    ld      sp, HART_EMERGENCY_STACK(tp)
    addi    sp, sp, -FRAME_SIZE
    save_x  1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, \
        25, 26, 27, 28, 29, 30, 31
    ld      t0, HART_SCRATCH(tp)
    sd      t0, FRAME_X(2)(sp)
    csrr    t0, sepc
    sd      t0, FRAME_PC(sp)
    csrr    t0, sstatus
    sd      t0, FRAME_STATUS(sp)
    li      t2, SSTATUS_SUM
    csrc    sstatus, t2
    mv      a0, sp
    csrr    a1, scause
    csrr    a2, stval
    call    handle_kernel_fault
    .cfi_endproc
