/* The numbers of the system calls (contract, section 10): number in a7, up to six arguments in a0
 * to a5, result in a0. a1 to a7 and t0 to t6 come back with results or zeros; s0 to s11, sp, gp,
 * tp, ra and the FPU registers are unchanged. An unknown number is -ENOSYS. Each call has a
 * function kairos_NAME, so few programs need this. */
#ifndef KAIROS_SYSCALLS_H
#define KAIROS_SYSCALLS_H

#include <kairos/abi/syscalls.h>

enum kairos_syscall {
#define KAIROS_SYSCALL_NUMBER(name) KAIROS_SYS_##name,
    KAIROS_SYSCALLS(KAIROS_SYSCALL_NUMBER)
#undef KAIROS_SYSCALL_NUMBER
        KAIROS_SYS_COUNT
};

#endif
