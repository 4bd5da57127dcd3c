/* Locks between threads, on futexes: nothing to destroy, one or two words each, no system call
 * unless somebody has to wait. They work between processes too, in memory that both have mapped.
 * All zeros is a valid initial state. kairos_thread_interrupt does not end a wait that has no
 * deadline of its own; it is kept for the thread's next blocking call. */
#ifndef KAIROS_SYNC_H
#define KAIROS_SYNC_H

#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* ---- Mutex ----------------------------------------------------------------------------------- */

struct kairos_mutex {
    uint32_t state; /* 0 free, 1 held, 2 held and perhaps waited for */
};
#define KAIROS_MUTEX_INIT \
    { 0 }

/* Waits until the mutex is free and takes it. A thread that takes it twice waits for ever. */
void kairos_mutex_lock(struct kairos_mutex* mutex);
/* Takes it unless somebody has it. Returns 0 or -EBUSY. */
kairos_status_t kairos_mutex_try_lock(struct kairos_mutex* mutex);
/* Waits no longer than `deadline`. Returns 0, -ETIMEDOUT or -EINTR. */
kairos_status_t kairos_mutex_lock_until(struct kairos_mutex* mutex, kairos_time_t deadline);
/* Gives it back; the caller must have it. */
void kairos_mutex_unlock(struct kairos_mutex* mutex);

/* A mutex that its holder may take again, and gives back as often. Not between processes. A thread
 * without thread-local storage (tp 0) is never known to be the holder. */
struct kairos_recursive_mutex {
    struct kairos_mutex mutex;
    uint32_t depth;   /* the holder's */
    uintptr_t holder; /* its thread pointer; 0: none */
};
#define KAIROS_RECURSIVE_MUTEX_INIT \
    { {0}, 0, 0 }

void kairos_recursive_mutex_lock(struct kairos_recursive_mutex* mutex);
kairos_status_t kairos_recursive_mutex_try_lock(struct kairos_recursive_mutex* mutex);
kairos_status_t kairos_recursive_mutex_lock_until(struct kairos_recursive_mutex* mutex,
                                                  kairos_time_t deadline);
void kairos_recursive_mutex_unlock(struct kairos_recursive_mutex* mutex);

/* ---- Condition variable ---------------------------------------------------------------------- */

struct kairos_condition {
    uint32_t sequence; /* changes with every signal */
    uint32_t waiters;
};
#define KAIROS_CONDITION_INIT \
    { 0, 0 }

/* Gives `mutex` back, waits until the condition is signalled, and takes the mutex again. Returns 0,
 * perhaps without a signal: check what you wait for again. -ETIMEDOUT, -EINTR: the mutex is taken
 * then too. */
kairos_status_t kairos_condition_wait(struct kairos_condition* condition,
                                      struct kairos_mutex* mutex, kairos_time_t deadline);
/* Wakes one waiter, or all. */
void kairos_condition_signal(struct kairos_condition* condition);
void kairos_condition_broadcast(struct kairos_condition* condition);

/* ---- Semaphore ------------------------------------------------------------------------------- */

struct kairos_semaphore {
    uint32_t count;
    uint32_t waiters;
};
#define KAIROS_SEMAPHORE_INIT(initial) \
    { (initial), 0 }

/* Waits until the count is above 0 and takes one from it. Returns 0, -ETIMEDOUT or -EINTR. */
kairos_status_t kairos_semaphore_wait(struct kairos_semaphore* semaphore, kairos_time_t deadline);
/* Takes one from the count unless it is 0. Returns 0 or -EAGAIN. */
kairos_status_t kairos_semaphore_try_wait(struct kairos_semaphore* semaphore);
/* Adds one to the count and wakes a waiter. */
void kairos_semaphore_post(struct kairos_semaphore* semaphore);

/* ---- Once ------------------------------------------------------------------------------------ */

struct kairos_once {
    uint32_t state; /* 0 not done, 1 being done, 2 the same and waited for, 3 done */
};
#define KAIROS_ONCE_INIT \
    { 0 }

/* Calls `function` if nobody has yet; returns when the call is over. */
void kairos_once_call(struct kairos_once* once, void (*function)(void));

KAIROS_END_DECLARATIONS

#endif
