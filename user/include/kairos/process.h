/* Processes and threads as the kernel knows them (contract, section 8). Programs rather use
 * kairos_spawn and kairos_thread_spawn of <kairos/sdk.h>, which load an ELF file and provide
 * stacks.
 *
 * A process ends when it exits, is killed, faults (exit code -EFAULT, the cause in its PROCESS
 * info), or its last thread ends (exit code 0). All its handles are closed before its TERMINATED is
 * raised. */
#ifndef KAIROS_PROCESS_H
#define KAIROS_PROCESS_H

#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* Makes a process without threads and without mappings, charged to `budget` (needs KRIGHT_WRITE;
 * KAIROS_HANDLE_INVALID: the caller's budget). Puts its handle into `*process` and that of its
 * address space into `*space`. `name` is for people; it is cut where it is too long (31
 * characters). A process that never ran ends with its last handle. */
kairos_status_t kairos_process_create(const char* name, kairos_handle_t budget,
                                      kairos_handle_t* process, kairos_handle_t* space);

/* Runs the first thread of a process: at `entry`, with stack pointer `sp` (a multiple of 16), the
 * value of `bootstrap` in the new process in a0, and `argument` in a1; all other registers are 0.
 * `bootstrap` moves (needs KRIGHT_TRANSFER); KAIROS_HANDLE_INVALID gives none. Needs KRIGHT_MANAGE
 * on process and thread. On failure `bootstrap` stays with the caller.
 *
 * -EBADF, -ENOTSUP, -EACCES. -EINVAL: the thread is not one of the process, or one of them has been
 * started. -ESRCH: the process is ending. -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_process_start(kairos_handle_t process, kairos_handle_t thread,
                                     uintptr_t entry, uintptr_t sp, kairos_handle_t bootstrap,
                                     uintptr_t argument);

/* Ends a process with the exit code `code`. Needs KRIGHT_MANAGE. Returns before its threads have
 * left; wait for that with kairos_process_wait. Of one that has ended: 0, and nothing changes. */
kairos_status_t kairos_process_kill(kairos_handle_t process, int64_t code);

/* Ends the calling process at once: nothing is flushed, nothing registered with atexit runs (use
 * exit for that). */
KAIROS_NORETURN void kairos_process_exit(int64_t code);

/* Makes a thread of `process`, not started. Needs KRIGHT_MANAGE. `name` as for a process.
 * -ESRCH: the process is ending. */
kairos_status_t kairos_thread_create(kairos_handle_t process, const char* name,
                                     kairos_handle_t* thread);

/* Runs a further thread of a process that is running: at `entry`, with stack pointer `sp`, and the
 * arguments in a0 and a1; all other registers, tp among them, are 0. Needs KRIGHT_MANAGE.
 * -EINVAL: it has been started, or its process has not. -ESRCH: the process is ending. */
kairos_status_t kairos_thread_start(kairos_handle_t thread, uintptr_t entry, uintptr_t sp,
                                    uintptr_t argument0, uintptr_t argument1);

/* Ends the calling thread, and with the last thread its process. A thread of kairos_thread_spawn
 * rather returns from its function. */
KAIROS_NORETURN void kairos_thread_exit(void);

/* Makes a thread's blocked call return -EINTR; if it is not blocked, the next call that would
 * block. One that is told not to block, or whose deadline has passed, would not. Needs
 * KRIGHT_MANAGE. */
kairos_status_t kairos_thread_interrupt(kairos_handle_t thread);

/* Lets a thread run only on the harts of `hart_mask` (bit n: hart n; surplus bits are ignored).
 * Needs KRIGHT_MANAGE. -EINVAL: the mask has no hart that exists. */
kairos_status_t kairos_thread_set_affinity(kairos_handle_t thread, uint64_t hart_mask);

/* Sets a thread's priority: KPRIORITY_IDLE to KPRIORITY_MAX, KPRIORITY_USUAL being usual.
 *
 * The highest priority that is ready runs, on each hart. From KPRIORITY_REAL_TIME up a thread runs
 * until it blocks or gives way, and what is below it may wait for ever. Below that, processes of
 * one priority take turns of 4 ms, whatever number of threads each has, and threads of one process
 * share its turns. Of the lower priorities each gets a slice now and then (one in 32), so nothing
 * below real time keeps anything from running for good: neither a thread that others wait for, nor
 * one that holds a lock. A server runs with its own priority, not with its callers'.
 *
 * Needs KRIGHT_MANAGE. -EINVAL: above KPRIORITY_MAX. -EACCES: above the ceiling of the thread's
 * process. */
kairos_status_t kairos_thread_set_priority(kairos_handle_t thread, uint32_t priority);

/* Sets the highest priority that the threads of a process can be given. The first program's is
 * KPRIORITY_MAX, that of every other is its creator's, unless this call lowers it before the
 * process is started: a program that is not trusted with real time is given
 * KPRIORITY_REAL_TIME - 1. Needs KRIGHT_MANAGE. -EINVAL: above KPRIORITY_MAX. -EACCES: above the
 * caller's own. -EINVAL: the process has been started. */
kairos_status_t kairos_process_set_priority_ceiling(kairos_handle_t process, uint32_t priority);

/* Lets another thread of the same priority run, if there is one. */
void kairos_yield(void);

/* Instructions that this hart has retired: differences measure code exactly, on one hart, under
 * kairos-run --icount. Readable without a system call. */
uint64_t kairos_instret(void);

/* Does nothing and returns 0: the bare cost of a system call. */
kairos_status_t kairos_nop(void);

/* Writes `size` bytes to the kernel's console. Always there, for every program; output of
 * different programs is mixed at whatever place. stdout goes here when its spawner gave it no other
 * place. Returns 0. */
kairos_status_t kairos_debug_write(const char* text, size_t size);

KAIROS_END_DECLARATIONS

#endif
