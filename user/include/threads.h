/* Threads as C11 has them, in front of picolibc's header, which only declares. What the functions
 * do is in the C standard. Besides: a thread is interrupted (kairos_thread_interrupt) only in
 * thrd_sleep; waiting for a condition then ends as if it had been signalled. Times are TIME_UTC,
 * which begins when the machine starts. */
#ifndef KAIROS_THREADS_H
#define KAIROS_THREADS_H

#include <kairos/sync.h>
#include <time.h>

#ifndef __cplusplus
#define thread_local _Thread_local
#endif

#define TSS_DTOR_ITERATIONS 4
#define ONCE_FLAG_INIT KAIROS_ONCE_INIT

typedef struct kairos_c11_thread* thrd_t;
typedef struct kairos_condition cnd_t;
typedef struct kairos_once once_flag;
typedef unsigned tss_t;
typedef struct {
    struct kairos_recursive_mutex lock;
    int type;
} mtx_t;

typedef int (*thrd_start_t)(void*);
typedef void (*tss_dtor_t)(void*);

enum { thrd_success = 0, thrd_busy, thrd_error, thrd_nomem, thrd_timedout };
enum { mtx_plain = 0, mtx_recursive = 1, mtx_timed = 2 };

KAIROS_BEGIN_DECLARATIONS

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument);
int thrd_join(thrd_t thread, int* result);
int thrd_detach(thrd_t thread);
thrd_t thrd_current(void);
int thrd_equal(thrd_t left, thrd_t right);
KAIROS_NORETURN void thrd_exit(int result);
int thrd_sleep(const struct timespec* length, struct timespec* left);
void thrd_yield(void);

void call_once(once_flag* once, void (*function)(void));

int mtx_init(mtx_t* mutex, int type);
void mtx_destroy(mtx_t* mutex);
int mtx_lock(mtx_t* mutex);
int mtx_timedlock(mtx_t* mutex, const struct timespec* time);
int mtx_trylock(mtx_t* mutex);
int mtx_unlock(mtx_t* mutex);

int cnd_init(cnd_t* condition);
void cnd_destroy(cnd_t* condition);
int cnd_signal(cnd_t* condition);
int cnd_broadcast(cnd_t* condition);
int cnd_wait(cnd_t* condition, mtx_t* mutex);
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const struct timespec* time);

int tss_create(tss_t* key, tss_dtor_t destroy);
void tss_delete(tss_t key);
void* tss_get(tss_t key);
int tss_set(tss_t key, void* value);

KAIROS_END_DECLARATIONS

#endif
