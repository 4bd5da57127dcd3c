// How bytes are copied, by the kernel's memcpy and by the user-copy code alike. For the assembler.

// Copies a2 bytes from a1 to a0, in rising order; the ranges may overlap if a0 is below a1. Whole
// words where source and destination are equally aligned, otherwise bytes.
// Clobbers a0 to a7, t0 to t6.
.macro copy_forward
    xor     t0, a0, a1
    andi    t0, t0, 7
    bnez    t0, 70f
    sltiu   t0, a2, 8
    bnez    t0, 70f
    andi    t0, a0, 7
    beqz    t0, 20f
10: lbu     t1, 0(a1)               // up to a word boundary
    sb      t1, 0(a0)
    addi    a1, a1, 1
    addi    a0, a0, 1
    addi    a2, a2, -1
    andi    t0, a0, 7
    bnez    t0, 10b
20: andi    t0, a2, -64             // blocks of eight words
    beqz    t0, 40f
    add     t0, t0, a1
    andi    a2, a2, 63
30: ld      a3, 0(a1)
    ld      a4, 8(a1)
    ld      a5, 16(a1)
    ld      a6, 24(a1)
    ld      a7, 32(a1)
    ld      t1, 40(a1)
    ld      t2, 48(a1)
    ld      t3, 56(a1)
    sd      a3, 0(a0)
    sd      a4, 8(a0)
    sd      a5, 16(a0)
    sd      a6, 24(a0)
    sd      a7, 32(a0)
    sd      t1, 40(a0)
    sd      t2, 48(a0)
    sd      t3, 56(a0)
    addi    a1, a1, 64
    addi    a0, a0, 64
    bne     a1, t0, 30b
    beqz    a2, 90f
40: andi    t0, a2, 32              // then four, two and one, as the size's bits say
    beqz    t0, 50f
    ld      a3, 0(a1)
    ld      a4, 8(a1)
    ld      a5, 16(a1)
    ld      a6, 24(a1)
    sd      a3, 0(a0)
    sd      a4, 8(a0)
    sd      a5, 16(a0)
    sd      a6, 24(a0)
    addi    a1, a1, 32
    addi    a0, a0, 32
50: andi    t0, a2, 16
    beqz    t0, 60f
    ld      a3, 0(a1)
    ld      a4, 8(a1)
    sd      a3, 0(a0)
    sd      a4, 8(a0)
    addi    a1, a1, 16
    addi    a0, a0, 16
60: andi    t0, a2, 8
    beqz    t0, 65f
    ld      a3, 0(a1)
    sd      a3, 0(a0)
    addi    a1, a1, 8
    addi    a0, a0, 8
65: andi    a2, a2, 7
70: beqz    a2, 90f                 // bytes
    add     a2, a2, a1
80: lbu     t0, 0(a1)
    sb      t0, 0(a0)
    addi    a1, a1, 1
    addi    a0, a0, 1
    bne     a1, a2, 80b
90:
.endm
