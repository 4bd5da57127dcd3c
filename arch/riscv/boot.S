// The first instructions of every hart: from the firmware (translation off, running at physical
// addresses) into the kernel's half of the address space. All addresses here are pc-relative, so
// that `la` gives physical addresses before the jump and virtual ones after it.
#include "layout.h"
#include "offsets.h"

    .cfi_sections .debug_frame

// Turns translation on with the early root table and goes on at the next instruction, in the
// kernel's half. Clobbers t0 to t2.
.macro enter_upper_half
    la      t0, early_root_table
    srli    t0, t0, 12
    li      t1, SATP_SV39 << 60
    or      t0, t0, t1
    la      t2, 1f
    li      t1, KERNEL_OFFSET
    add     t2, t2, t1
    sfence.vma
    csrw    satp, t0
    sfence.vma
    jr      t2
1:
.endm

    .section .text.boot, "ax"

// Entered by the first hart, from the firmware. Must be the image's first instruction.
// In: a0 = the hart's id, a1 = physical address of the device tree, satp = 0, interrupts off.
// Out: calls boot_first_hart(a0, a1) in the upper half, on the boot stack. Clobbers everything.
    .globl boot_entry
boot_entry:
    .cfi_startproc
    .cfi_undefined ra
    csrw    sie, zero
    csrw    sscratch, zero
    la      t0, boot_trap
    csrw    stvec, t0

    // OpenSBI 1.1 can, rarely, send two harts here at once. One boots; the other gives itself back
    // to the firmware, from which arch::start_hart fetches it like the rest.
    la      t0, boot_taken
    li      t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez    t1, give_hart_back

    la      t0, kernel_bss_begin    // both on page boundaries
    la      t1, kernel_end
1:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bne     t0, t1, 1b

    // The early root table: the kernel's gigapage at its physical address, which only the jump
    // needs, and at its virtual one. Each hart leaves it a few instructions after the jump.
    la      t0, early_root_table
    li      t1, KERNEL_GIGAPAGE >> 12 << 10 | 0xcf  // valid, rwx, accessed, dirty
    sd      t1, (8 * (KERNEL_GIGAPAGE >> 30))(t0)
    li      t2, 8 * ((KERNEL_GIGAPAGE + KERNEL_OFFSET) >> 30 & 511)
    add     t0, t0, t2
    sd      t1, 0(t0)

    enter_upper_half
    la      t0, boot_trap
    csrw    stvec, t0
    la      sp, boot_stack_end - EMERGENCY_STACK_SIZE
    li      tp, 0
    li      s0, 0                   // ends the chain of frames
    call    boot_first_hart
    .cfi_endproc

give_hart_back:
    li      a7, SBI_HART_STATE
    li      a6, SBI_HART_STOP
    ecall
    j       boot_trap               // it has refused

// Until a hart has its block, a trap can only be a defect of the boot code: it stops here, for a
// debugger to see.
    .balign 4
boot_trap:
    wfi
    j       boot_trap

// Entered by every further hart, from the firmware (arch::start_hart).
// In: a0 = the hart's id, a1 = physical address of its block, whose `scratch` is the top of its
// stack; satp = 0, interrupts off.
// Out: calls enter_secondary_hart(block) in the kernel's final address space. Clobbers everything.
    .globl secondary_entry
secondary_entry:
    .cfi_startproc
    .cfi_undefined ra
    csrw    sie, zero
    csrw    sscratch, zero
    enter_upper_half
    la      t0, boot_trap
    csrw    stvec, t0
    li      t1, KERNEL_OFFSET
    add     tp, a1, t1
    ld      sp, HART_SCRATCH(tp)
    li      t0, EMERGENCY_STACK_SIZE
    sub     sp, sp, t0
    ld      t0, kernel_satp
    csrw    satp, t0
    sfence.vma
    li      s0, 0
    mv      a0, tp
    call    enter_secondary_hart
    .cfi_endproc

    .section .data.boot_taken, "aw"   // not in .bss, which the first hart clears
    .balign 4
boot_taken:
    .word   0

    .section .bss.page_tables, "aw", @nobits
    .balign 4096
early_root_table:
    .skip   4096

// The first hart's stack. The page below it is not mapped.
    .section .bss.boot_stack, "aw", @nobits
    .balign 4096
    .globl  boot_stack_guard
boot_stack_guard:
    .skip   4096
    .skip   16384
    .globl  boot_stack_end
boot_stack_end:
