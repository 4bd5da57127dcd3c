// The user-copy code: the only instructions of the kernel that may touch user addresses, and the
// only ones whose page faults are not a defect. It calls nothing and uses no stack. A fault that
// the kernel cannot resolve goes on at user_copy_fault (trap.cpp), which needs nothing that the
// interrupted code might have changed.
#include "copy.inc"
#include "offsets.h"

    .cfi_sections .debug_frame
    .section .text.user_copy, "ax"

// Goes to user_copy_refused unless arch::user_range(start, size). Clobbers t0, t1.
.macro require_user_range start, size
    li      t0, USER_BEGIN
    bltu    \start, t0, user_copy_refused
    li      t1, USER_END
    bltu    t1, \start, user_copy_refused
    sub     t1, t1, \start
    bltu    t1, \size, user_copy_refused
.endm

    .globl  user_copy_begin
user_copy_begin:
    .cfi_startproc

// bool copy_to_user(VirtualAddress destination, const void* source, size_t size)
    .globl  _ZN4arch12copy_to_userE14VirtualAddressPKvm
_ZN4arch12copy_to_userE14VirtualAddressPKvm:
    require_user_range a0, a2
    j       1f

// bool copy_from_user(void* destination, VirtualAddress source, size_t size)
    .globl  _ZN4arch14copy_from_userEPv14VirtualAddressm
_ZN4arch14copy_from_userEPv14VirtualAddressm:
    require_user_range a1, a2
1:  li      t0, SSTATUS_SUM
    csrs    sstatus, t0
    copy_forward
    li      t0, SSTATUS_SUM
    csrc    sstatus, t0
    li      a0, 1
    ret

// bool load_user_word(uint32_t* destination, VirtualAddress source)
    .globl  _ZN4arch14load_user_wordEPj14VirtualAddress
_ZN4arch14load_user_wordEPj14VirtualAddress:
    li      a2, 4
    require_user_range a1, a2
    andi    t0, a1, 3
    bnez    t0, user_copy_refused
    li      t0, SSTATUS_SUM
    csrs    sstatus, t0
    lw      t1, 0(a1)
    csrc    sstatus, t0
    sw      t1, 0(a0)
    li      a0, 1
    ret

    .globl  user_copy_end
user_copy_end:

// In: SUM as it may be, the return address of the function that faulted in ra.
    .globl  user_copy_fault
user_copy_fault:
    li      t0, SSTATUS_SUM
    csrc    sstatus, t0
user_copy_refused:
    li      a0, 0
    ret
    .cfi_endproc
