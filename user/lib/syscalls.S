# The system calls as functions kairos_NAME, one for each line of the table, and the counter that
# needs none. The arguments are where the kernel wants them; what the kernel changes is what a
# function may change.
#include <kairos/abi/syscalls.h>

# kairos_thread_exit has work to do first (threads.cpp) and ends here.
#define kairos_thread_exit kairos_thread_exit_call

#define FUNCTION(name)                             \
    .section .text.name, "ax", @progbits;          \
    .globl name;                                   \
    .type name, @function;                         \
    name:

#define STUB(call) STUB_NAMED(kairos_##call)
#define STUB_NAMED(name)                           \
    FUNCTION(name)                                 \
    li a7, number;                                 \
    ecall;                                         \
    ret;                                           \
    .size name, . - name;                          \
    .set number, number + 1;

    .set number, 0
KAIROS_SYSCALLS(STUB)

FUNCTION(kairos_instret)
    rdinstret a0
    ret
    .size   kairos_instret, . - kairos_instret

    .section .note.GNU-stack, "", @progbits
