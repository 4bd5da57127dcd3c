// The threads that the C++ library is built on (std::mutex, std::thread ...): those of
// <kairos/sync.h> and <threads.h>. In front of the one for POSIX threads that comes with the
// compiler; what the functions do is written in its gthr.h. They return 0 or an error number.
#ifndef KAIROS_CXX_GTHR_DEFAULT_H
#define KAIROS_CXX_GTHR_DEFAULT_H

#pragma GCC system_header

#include <errno.h>
#include <kairos/sync.h>
#include <threads.h>
#include <time.h>

#define __GTHREADS 1
#define __GTHREADS_CXX0X 1
#define __GTHREAD_HAS_COND 1
#define _GTHREAD_USE_MUTEX_TIMEDLOCK 1

typedef thrd_t __gthread_t;
typedef tss_t __gthread_key_t;
typedef struct kairos_once __gthread_once_t;
typedef struct kairos_mutex __gthread_mutex_t;
typedef struct kairos_recursive_mutex __gthread_recursive_mutex_t;
typedef struct kairos_condition __gthread_cond_t;
typedef struct timespec __gthread_time_t; /* absolute; all clocks are the same */

#define __GTHREAD_ONCE_INIT KAIROS_ONCE_INIT
#define __GTHREAD_MUTEX_INIT KAIROS_MUTEX_INIT
#define __GTHREAD_RECURSIVE_MUTEX_INIT KAIROS_RECURSIVE_MUTEX_INIT
#define __GTHREAD_COND_INIT KAIROS_CONDITION_INIT
#define __GTHREAD_TIME_INIT \
    { 0, 0 }

static inline int __gthread_active_p(void) { return 1; }

static inline int __kairos_error(kairos_status_t status) { return (int)-status; }
static inline kairos_time_t __kairos_deadline(const __gthread_time_t* time) {
    return (kairos_time_t)time->tv_sec * 1000000000u + (kairos_time_t)time->tv_nsec;
}

static inline int __gthread_create(__gthread_t* thread, void* (*function)(void*), void* argument) {
    /* What it returns is not asked for: join hands it over as it is. */
    return thrd_create(thread, (thrd_start_t)(void (*)(void))function, argument) == thrd_success
               ? 0
               : EAGAIN;
}
static inline int __gthread_join(__gthread_t thread, void** value) {
    if (value != 0) *value = 0;
    return thrd_join(thread, 0) == thrd_success ? 0 : EINVAL;
}
static inline int __gthread_detach(__gthread_t thread) {
    return thrd_detach(thread) == thrd_success ? 0 : EINVAL;
}
static inline __gthread_t __gthread_self(void) { return thrd_current(); }
static inline int __gthread_equal(__gthread_t left, __gthread_t right) {
    return thrd_equal(left, right);
}
static inline int __gthread_yield(void) {
    thrd_yield();
    return 0;
}

static inline int __gthread_once(__gthread_once_t* once, void (*function)(void)) {
    kairos_once_call(once, function);
    return 0;
}

static inline int __gthread_key_create(__gthread_key_t* key, void (*destroy)(void*)) {
    return tss_create(key, destroy) == thrd_success ? 0 : EAGAIN;
}
static inline int __gthread_key_delete(__gthread_key_t key) {
    tss_delete(key);
    return 0;
}
static inline void* __gthread_getspecific(__gthread_key_t key) { return tss_get(key); }
static inline int __gthread_setspecific(__gthread_key_t key, const void* value) {
    return tss_set(key, (void*)value) == thrd_success ? 0 : ENOMEM;
}

static inline void __gthread_mutex_init_function(__gthread_mutex_t* mutex) { mutex->state = 0; }
static inline int __gthread_mutex_destroy(__gthread_mutex_t* mutex) {
    (void)mutex;
    return 0;
}
static inline int __gthread_mutex_lock(__gthread_mutex_t* mutex) {
    kairos_mutex_lock(mutex);
    return 0;
}
static inline int __gthread_mutex_trylock(__gthread_mutex_t* mutex) {
    return __kairos_error(kairos_mutex_try_lock(mutex));
}
static inline int __gthread_mutex_timedlock(__gthread_mutex_t* mutex,
                                            const __gthread_time_t* time) {
    return __kairos_error(kairos_mutex_lock_until(mutex, __kairos_deadline(time)));
}
static inline int __gthread_mutex_unlock(__gthread_mutex_t* mutex) {
    kairos_mutex_unlock(mutex);
    return 0;
}

static inline int __gthread_recursive_mutex_init_function(__gthread_recursive_mutex_t* mutex) {
    mutex->mutex.state = 0;
    mutex->depth = 0;
    mutex->holder = 0;
    return 0;
}
static inline int __gthread_recursive_mutex_destroy(__gthread_recursive_mutex_t* mutex) {
    (void)mutex;
    return 0;
}
static inline int __gthread_recursive_mutex_lock(__gthread_recursive_mutex_t* mutex) {
    kairos_recursive_mutex_lock(mutex);
    return 0;
}
static inline int __gthread_recursive_mutex_trylock(__gthread_recursive_mutex_t* mutex) {
    return __kairos_error(kairos_recursive_mutex_try_lock(mutex));
}
static inline int __gthread_recursive_mutex_timedlock(__gthread_recursive_mutex_t* mutex,
                                                      const __gthread_time_t* time) {
    return __kairos_error(kairos_recursive_mutex_lock_until(mutex, __kairos_deadline(time)));
}
static inline int __gthread_recursive_mutex_unlock(__gthread_recursive_mutex_t* mutex) {
    kairos_recursive_mutex_unlock(mutex);
    return 0;
}

static inline void __gthread_cond_init_function(__gthread_cond_t* condition) {
    condition->sequence = 0;
    condition->waiters = 0;
}
static inline int __gthread_cond_destroy(__gthread_cond_t* condition) {
    (void)condition;
    return 0;
}
static inline int __gthread_cond_broadcast(__gthread_cond_t* condition) {
    kairos_condition_broadcast(condition);
    return 0;
}
static inline int __gthread_cond_signal(__gthread_cond_t* condition) {
    kairos_condition_signal(condition);
    return 0;
}
/* An interrupt looks like a wake without cause, which callers are ready for. */
static inline int __gthread_cond_wait(__gthread_cond_t* condition, __gthread_mutex_t* mutex) {
    (void)kairos_condition_wait(condition, mutex, KAIROS_TIME_INFINITE);
    return 0;
}
static inline int __gthread_cond_timedwait(__gthread_cond_t* condition, __gthread_mutex_t* mutex,
                                           const __gthread_time_t* time) {
    const kairos_status_t status = kairos_condition_wait(condition, mutex, __kairos_deadline(time));
    return status == -ETIMEDOUT ? ETIMEDOUT : 0;
}
/* The C++ library waits with mutexes that are held once. */
static inline int __gthread_cond_wait_recursive(__gthread_cond_t* condition,
                                                __gthread_recursive_mutex_t* mutex) {
    const uint32_t depth = mutex->depth;
    const uintptr_t holder = mutex->holder;
    mutex->holder = 0;
    (void)kairos_condition_wait(condition, &mutex->mutex, KAIROS_TIME_INFINITE);
    mutex->depth = depth;
    mutex->holder = holder;
    return 0;
}

#endif
