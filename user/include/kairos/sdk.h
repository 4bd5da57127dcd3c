/* What the SDK adds to the kernel's calls (contract, section 9): what this program was given,
 * starting other programs, and threads with stacks. */
#ifndef KAIROS_SDK_H
#define KAIROS_SDK_H

#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* ---- This program ---------------------------------------------------------------------------- */

/* The running process (READ, WRITE, TRANSFER, DUPLICATE, WAIT, MANAGE, SIGNAL), its address space,
 * and the calling thread. They are the program's for its whole life: not to be closed or sent (send
 * a duplicate). */
kairos_handle_t kairos_self_process(void);
kairos_handle_t kairos_self_aspace(void);
kairos_handle_t kairos_self_thread(void);

/* The handle that the spawner gave for the place `which` (KAIROS_BOOT_*); KAIROS_HANDLE_INVALID if
 * it gave none, or there is no such place. Always the same value: a program that closes or sends it
 * should not ask again. */
kairos_handle_t kairos_bootstrap(uint32_t which);

/* ---- Starting programs ----------------------------------------------------------------------- */

/* A handle to give to a child, which finds it at the place `which`: KAIROS_BOOT_PARENT, ARCHIVE,
 * STDIN, STDOUT, STDERR, RESOURCE, or USER0 and up. */
struct kairos_spawn_handle {
    uint32_t which;
    kairos_handle_t handle; /* at ARCHIVE, KAIROS_HANDLE_INVALID: the child gets none */
};

/* Bytes that the child's budget must have left when all has been loaded, for what a program takes
 * before its main begins. */
#define KAIROS_START_ROOM (64u * 1024u)

/* Starts a program: `path` names a file of the boot archive (a leading slash is passed over), or is
 * "self" for the running program's own file, which needs no archive. `argv` ends with a null
 * pointer; argv[0] is the program's name. Puts the child's process handle into `*process`; a null
 * `process` is allowed, the child then runs unobserved.
 *
 * The `n` handles of `give` move to the child (each needs KRIGHT_TRANSFER), which finds them with
 * kairos_bootstrap; on any failure all of them stay with the caller, under the same values. Beyond
 * these the child gets a duplicate of the caller's ARCHIVE, unless `give` has an entry for that
 * place; never RESOURCE; and nothing for STDIN, STDOUT and STDERR: its output then goes to
 * kairos_debug_write, its input is at its end.
 *
 * On success the child is running. On failure there is no child and nothing is left behind.
 *
 * -EFAULT: `path`, `argv`, or `give` with `n` above 0, is null. -EINVAL: argv[0] is null.
 * -EMSGSIZE: argv has more than 4,096 strings or about 64,000 bytes. -EINVAL: a `which` that is not
 * below KAIROS_BOOT_COUNT, or one of the start protocol's own (6 to 15), or one twice. Of the
 * handles in their order: -EBADF, -EACCES, -EINVAL (one twice). -ENOENT: no such file; no archive.
 * -ENOEXEC: the file is not a program for this machine, or is damaged. -EMFILE, -EDQUOT, -ENOMEM.
 */
kairos_status_t kairos_spawn(const char* path, char* const argv[],
                             const struct kairos_spawn_handle* give, size_t n,
                             kairos_handle_t* process);

/* The same, the child being charged to `budget` (needs KRIGHT_WRITE; stays the caller's), with its
 * memory. KAIROS_HANDLE_INVALID: to the caller's own budget. Before the errors of the given
 * handles: -EBADF, -ENOTSUP, -EACCES of the budget. */
kairos_status_t kairos_spawn_in(kairos_handle_t budget, const char* path, char* const argv[],
                                const struct kairos_spawn_handle* give, size_t n,
                                kairos_handle_t* process);

/* The same with all that can be chosen. A null `options` is as kairos_spawn. */
struct kairos_spawn_options {
    kairos_handle_t budget;    /* as for kairos_spawn_in */
    uint32_t priority_ceiling; /* KPRIORITY_MAX: the caller's own */
};

/* Errors as kairos_spawn_in. Before those of the budget: -EINVAL, a ceiling above KPRIORITY_MAX;
 * at the end: -EACCES, one above the caller's own. */
kairos_status_t kairos_spawn_with(const struct kairos_spawn_options* options, const char* path,
                                  char* const argv[], const struct kairos_spawn_handle* give,
                                  size_t n, kairos_handle_t* process);

/* Waits until `deadline` for a process to have ended, and puts its exit code into `*exit_code` (may
 * be null): what main returned or exit was given; -EFAULT after a fault (KAIROS_INFO_PROCESS has
 * the details); what kairos_process_kill was given. Any number of times, by anybody with READ and
 * WAIT. The handle stays the caller's to close, also while this blocks. Returns 0.
 *
 * -EFAULT, -EBADF, -ENOTSUP, -EACCES, -ETIMEDOUT, -EINTR; -ECANCELED: the handle was revoked, or
 * the last one of a process that never ran went. BLOCKS. */
kairos_status_t kairos_process_wait(kairos_handle_t process, kairos_time_t deadline,
                                    int64_t* exit_code);

/* ---- Threads --------------------------------------------------------------------------------- */

/* Runs `function(argument)` in a new thread of this process, and puts its handle into `*thread`,
 * which is the caller's to close. Returning from the function ends the thread. `thread` may be
 * null: nobody joins it then, and all that it had comes back when it ends.
 *
 * -EINVAL: `function` is null. -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_thread_spawn(void (*function)(void*), void* argument,
                                    kairos_handle_t* thread);

/* Waits until `deadline` for a thread to have ended. The handle stays the caller's to close. Any
 * number of times; also for threads of other processes. A thread that waits for itself waits for
 * ever. Needs KRIGHT_WAIT. Returns 0. -EBADF, -ENOTSUP, -EACCES, -ETIMEDOUT, -EINTR, -ECANCELED. */
kairos_status_t kairos_thread_join(kairos_handle_t thread, kairos_time_t deadline);

KAIROS_END_DECLARATIONS

#endif
