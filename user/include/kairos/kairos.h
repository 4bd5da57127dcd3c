/* Kairos, for programs: everything that a program may call, in C11 and in C++.
 *
 *   handles    <kairos/handle.h>     handles and their rights
 *   channels   <kairos/channel.h>    messages, calls and replies
 *   ports      <kairos/port.h>       one place to wait for many objects
 *   objects    <kairos/object.h>     what any object answers: readiness, bytes, signals, info
 *   memory     <kairos/memory.h>     memory objects, mappings, budgets
 *   processes  <kairos/process.h>    processes and threads as the kernel knows them
 *   debugging  <kairos/debug.h>      stopping threads, registers, faults
 *   time       <kairos/time.h>       clock, sleep, timers, futexes
 *   fds        <kairos/fd.h>         file descriptors and how they relate to handles
 *   system     <kairos/system.h>     devices, authority, looking at the whole system
 *   the SDK    <kairos/sdk.h>        bootstrap handles, spawn, threads
 *
 * Besides: <kairos/info.h> what objects report, <kairos/errors.h> errors as text,
 * <kairos/sync.h> locks between threads, <kairos/syscalls.h> system call numbers,
 * <kairos/server.hpp> and its neighbours for C++.
 *
 * Conventions that hold for every kairos_* call unless its description says otherwise:
 *
 *  - It returns kairos_status_t: zero or a positive result, or -E... as in <errno.h>. errno itself
 *    is never touched.
 *  - A failed call changes nothing: no handle is consumed, no message taken, no output written.
 *    Exceptions: the sizes that come with -EMSGSIZE; after -EFAULT, bytes of the caller's own
 *    output buffers; and what kairos_channel_call and kairos_channel_reply_recv have sent stays
 *    sent.
 *  - Errors are looked for in this order: flags and options, unknown bits among them (-EINVAL);
 *    structs that pointers name (-EFAULT); lengths (-EMSGSIZE or -EINVAL); the pointers inside
 *    them, by range (-EFAULT); the handle (-EBADF), its type (-ENOTSUP), its rights (-EACCES);
 *    then the operation's own, among them -EFAULT where a page turns out to be bad as it is
 *    touched. Descriptions list what is particular to a call, in that order, and leave out
 *    -EFAULT, -EBADF and -ENOTSUP where they go without saying.
 *  - A call that makes something may fail with -ENOMEM (the machine has no memory left) or -EDQUOT
 *    (the budget has none); one that hands out a handle also with -EMFILE (the table is full).
 *  - A pointer with length 0 is not looked at. Room beyond what is delivered is not touched.
 *  - Times are absolute nanoseconds on the monotonic clock. KAIROS_TIME_INFINITE waits for ever,
 *    a deadline that has passed polls once.
 *  - A call that blocks may return -ETIMEDOUT (its deadline passed), -EINTR
 *    (kairos_thread_interrupt) or -ECANCELED (the handle it was called with was revoked). Told
 *    not to block, it returns -EAGAIN instead.
 *  - Closing or moving a handle does not disturb a call that is blocked through it. */
#ifndef KAIROS_KAIROS_H
#define KAIROS_KAIROS_H

#include <errno.h>
#include <kairos/abi/types.h>
#include <kairos/channel.h>
#include <kairos/debug.h>
#include <kairos/errors.h>
#include <kairos/fd.h>
#include <kairos/handle.h>
#include <kairos/info.h>
#include <kairos/memory.h>
#include <kairos/object.h>
#include <kairos/port.h>
#include <kairos/process.h>
#include <kairos/sdk.h>
#include <kairos/system.h>
#include <kairos/time.h>
#include <stddef.h>
#include <stdint.h>

#endif
