/* For debuggers and supervisors: stopping threads, their registers, and faults before they end a
 * process. All of it needs KRIGHT_MANAGE.
 *
 * A thread is *stopped* while it is suspended, or waits for the answer to an exception. It stops
 * just before its next instruction in user mode. So a thread that is inside a call when it is
 * suspended finishes that call first; one that is blocked stays blocked, its deadline goes on, and
 * it stops as the call returns (kairos_thread_interrupt makes that soon). Threads that were made
 * but not started can be suspended: they stop before their first instruction.
 *
 * Killing works on stopped threads as on all others. */
#ifndef KAIROS_DEBUG_H
#define KAIROS_DEBUG_H

#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* Gives a thread one more reason not to run. Returns at once; kairos_thread_read_state waits until
 * the thread has stopped. A thread may suspend itself: it stops as this call returns.
 * -ESRCH: it has ended. -EAGAIN: it has been suspended KTHREAD_MAX_SUSPENSIONS times. */
kairos_status_t kairos_thread_suspend(kairos_handle_t thread);

/* Takes back one kairos_thread_suspend; with the last one the thread goes on. -EINVAL: it is not
 * suspended. */
kairos_status_t kairos_thread_resume(kairos_handle_t thread);

/* Waits until `deadline` for a thread to be stopped, and copies its registers: `which` is
 * KTHREAD_STATE_GENERAL for a struct kairos_thread_general, KTHREAD_STATE_FLOAT for a struct
 * kairos_thread_float. Returns the bytes written.
 *
 * -EINVAL: another `which`. -EMSGSIZE: `size` is smaller than the struct. -ESRCH: it has ended, or
 * ends meanwhile. -ETIMEDOUT (a thread does not stop while it waits for itself), -EINTR,
 * -ECANCELED. */
kairos_status_t kairos_thread_read_state(kairos_handle_t thread, uint32_t which, void* buffer,
                                         size_t size, kairos_time_t deadline);

/* The other way round. Any values are allowed: a pc outside the program is a fault like any other.
 * Returns the bytes read. Errors as kairos_thread_read_state. */
kairos_status_t kairos_thread_write_state(kairos_handle_t thread, uint32_t which,
                                          const void* buffer, size_t size, kairos_time_t deadline);

/* Makes the faults of a process's threads known at the other end of `channel`, which moves into the
 * process (needs KRIGHT_READ, KRIGHT_WRITE and KRIGHT_TRANSFER) in place of what was set before;
 * KAIROS_HANDLE_INVALID sets none. Processes do not inherit it.
 *
 * A thread that faults stops, and a message arrives: a struct kairos_exception, with a handle to
 * the thread (all rights) and a txid. The answer is a message with that txid: a struct
 * kairos_exception_answer. KEXCEPTION_RESUME lets the thread go on with its registers as they are
 * by then, which tries the same instruction again unless pc was changed. Anything else declines, as
 * does closing the other end, or setting another channel: the fault then ends the process as if
 * nobody had been asked. The messages and handles are charged to the budget of the process that
 * made this call; when that is exhausted, a fault is declined.
 *
 * -EBADF, -ENOTSUP, -EACCES: of the process, then of the channel. -ESRCH: the process is ending;
 * `channel` stays with the caller, as on any failure. */
kairos_status_t kairos_process_set_exception_channel(kairos_handle_t process,
                                                     kairos_handle_t channel);

KAIROS_END_DECLARATIONS

#endif
