// The memory and string functions that the compiler may call, with the meaning the C standard gives
// them. They work on kernel memory only.
#include "copy.inc"

    .cfi_sections .debug_frame
    .text

// The word in a1 as often as whole blocks of `size` bytes fit into the a2 bytes at a0, for memset.
.macro store_blocks size
    andi    t0, a2, -\size
    beqz    t0, 11f
    add     t0, t0, a0
    andi    a2, a2, \size - 1
10:
    .set    offset, 0
    .rept   \size / 8
    sd      a1, offset(a0)
    .set    offset, offset + 8
    .endr
    addi    a0, a0, \size
    bne     a0, t0, 10b
11:
.endm

.macro function name
    .globl  \name
    .type   \name, @function
\name:
    .cfi_startproc
.endm

// void* memmove(void* destination, const void* source, size_t size)
function memmove
    sub     t0, a0, a1
    bgeu    t0, a2, memcpy          // rising order is right unless the end would be overwritten
    add     a3, a0, a2              // falling order, from the ends
    add     a1, a1, a2
    beq     a3, a0, 4f
    xor     t0, a3, a1
    andi    t0, t0, 7
    bnez    t0, 3f
1:  andi    t0, a3, 7               // down to a word boundary
    beqz    t0, 2f
    addi    a1, a1, -1
    addi    a3, a3, -1
    lbu     t1, 0(a1)
    sb      t1, 0(a3)
    bne     a3, a0, 1b
    ret
2:  sub     t0, a3, a0
    sltiu   t0, t0, 8
    bnez    t0, 3f
    addi    a1, a1, -8
    addi    a3, a3, -8
    ld      t1, 0(a1)
    sd      t1, 0(a3)
    j       2b
3:  beq     a3, a0, 4f
    addi    a1, a1, -1
    addi    a3, a3, -1
    lbu     t1, 0(a1)
    sb      t1, 0(a3)
    j       3b
4:  ret
    .cfi_endproc

// void* memcpy(void* destination, const void* source, size_t size)
function memcpy
    mv      t4, a0
    copy_forward
    mv      a0, t4
    ret
    .cfi_endproc

// void* memset(void* destination, int byte, size_t size)
function memset
    mv      t4, a0
    sltiu   t0, a2, 16
    bnez    t0, 5f
    andi    a1, a1, 255             // the byte eight times
    slli    t0, a1, 8
    or      a1, a1, t0
    slli    t0, a1, 16
    or      a1, a1, t0
    slli    t0, a1, 32
    or      a1, a1, t0
1:  andi    t0, a0, 7               // up to a word boundary
    beqz    t0, 2f
    sb      a1, 0(a0)
    addi    a0, a0, 1
    addi    a2, a2, -1
    j       1b
2:  store_blocks 256                // most of what is set is pages
    store_blocks 32
4:  sltiu   t0, a2, 8               // words
    bnez    t0, 5f
    sd      a1, 0(a0)
    addi    a0, a0, 8
    addi    a2, a2, -8
    j       4b
5:  add     a2, a2, a0              // bytes
6:  beq     a0, a2, 7f
    sb      a1, 0(a0)
    addi    a0, a0, 1
    j       6b
7:  mv      a0, t4
    ret
    .cfi_endproc

// int memcmp(const void* left, const void* right, size_t size)
function memcmp
    add     a2, a2, a0
    or      t0, a0, a1
    andi    t0, t0, 7
    bnez    t0, 2f
    addi    t1, a2, -8              // the last place where a whole word is left
1:  bltu    t1, a0, 2f              // words while they are equal; the bytes below find a difference
    ld      a3, 0(a0)
    ld      a4, 0(a1)
    bne     a3, a4, 2f
    addi    a0, a0, 8
    addi    a1, a1, 8
    j       1b
2:  beq     a0, a2, 3f
    lbu     a3, 0(a0)
    lbu     a4, 0(a1)
    addi    a0, a0, 1
    addi    a1, a1, 1
    beq     a3, a4, 2b
    sub     a0, a3, a4
    ret
3:  li      a0, 0
    ret
    .cfi_endproc

// size_t strlen(const char* text)
function strlen
    mv      t0, a0
1:  lbu     t1, 0(a0)
    beqz    t1, 2f
    addi    a0, a0, 1
    j       1b
2:  sub     a0, a0, t0
    ret
    .cfi_endproc
