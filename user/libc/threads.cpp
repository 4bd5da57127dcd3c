// The threads of C11 on those of the SDK. Times are TIME_UTC, which begins when the machine starts,
// as all clocks do.
#include <kairos/kairos.h>
#include <kairos/sync.h>
#include <stdlib.h>
#include <threads.h>

#include <atomic>
#include <new>

#include "../lib/thread_block.hpp"

// What a thrd_t points to. It lives until both the thread has ended and somebody has joined or
// detached it.
struct kairos_c11_thread {
    std::atomic<int> users = 2;
    kairos_handle_t handle = KAIROS_HANDLE_INVALID;  // until it is joined or detached
    thrd_start_t function = nullptr;
    void* argument = nullptr;
    int result = 0;

    void release() {
        if (users.fetch_sub(1, std::memory_order_acq_rel) == 1) free(this);
    }
};

namespace {

using Thread = kairos_c11_thread;

// The first thread, and those of kairos_thread_spawn, are themselves with a record of their own.
thread_local Thread own_record;
thread_local Thread* current = nullptr;

void run(void* argument) {
    current = static_cast<Thread*>(argument);
    thrd_exit(current->function(current->argument));
}

int result_of(kairos_status_t status) {
    switch (status) {
        case 0:
            return thrd_success;
        case -EBUSY:
            return thrd_busy;
        case -ETIMEDOUT:
            return thrd_timedout;
        case -ENOMEM:
        case -EDQUOT:
        case -EMFILE:
            return thrd_nomem;
        default:
            return thrd_error;
    }
}

kairos_time_t deadline_of(const timespec& time) {
    constexpr uint64_t kSecond = 1'000'000'000;
    return static_cast<uint64_t>(time.tv_sec) * kSecond + static_cast<uint64_t>(time.tv_nsec);
}

// Joins by an uninterrupted wait.
kairos_status_t wait_for(kairos_handle_t thread) {
    kairos_status_t status;
    do {
        status = kairos_thread_join(thread, KAIROS_TIME_INFINITE);
    } while (status == -EINTR);
    return status;
}

}  // namespace

extern "C" {

// ---- Threads ------------------------------------------------------------------------------------

int thrd_create(thrd_t* out, thrd_start_t function, void* argument) {
    auto* memory = malloc(sizeof(Thread));
    if (memory == nullptr) return thrd_nomem;
    auto* thread = new (memory) Thread;
    thread->function = function;
    thread->argument = argument;
    const kairos_status_t status = kairos_thread_spawn(run, thread, &thread->handle);
    if (status < 0) {
        free(thread);
        return result_of(status);
    }
    *out = thread;
    return thrd_success;
}

int thrd_join(thrd_t thread, int* result) {
    const kairos_status_t status = wait_for(thread->handle);
    if (status < 0) return result_of(status);
    if (result != nullptr) *result = thread->result;
    return thrd_detach(thread);
}

int thrd_detach(thrd_t thread) {
    kairos_handle_close(thread->handle, 0);
    thread->release();
    return thrd_success;
}

void thrd_exit(int result) {
    if (current != nullptr && current != &own_record) {
        // Destructors of thread_local objects may still ask who they are.
        kairos::internal::run_thread_endings(*kairos::internal::current_block());
        Thread* thread = current;
        thread->result = result;
        thread->release();
    }
    kairos_thread_exit();
}

thrd_t thrd_current() {
    if (current == nullptr) current = &own_record;
    return current;
}

int thrd_equal(thrd_t left, thrd_t right) { return left == right; }

int thrd_sleep(const struct timespec* length, struct timespec* left) {
    if (nanosleep(length, left) == 0) return 0;
    return errno == EINTR ? -1 : -2;
}

void thrd_yield() { kairos_yield(); }

void call_once(once_flag* once, void (*function)(void)) { kairos_once_call(once, function); }

// ---- Mutexes ------------------------------------------------------------------------------------

int mtx_init(mtx_t* mutex, int type) {
    *mutex = {.lock = KAIROS_RECURSIVE_MUTEX_INIT, .type = type};
    return thrd_success;
}

void mtx_destroy(mtx_t*) {}

static bool is_recursive(const mtx_t* mutex) { return (mutex->type & mtx_recursive) != 0; }

int mtx_lock(mtx_t* mutex) {
    if (is_recursive(mutex)) {
        kairos_recursive_mutex_lock(&mutex->lock);
    } else {
        kairos_mutex_lock(&mutex->lock.mutex);
    }
    return thrd_success;
}

int mtx_timedlock(mtx_t* __restrict mutex, const struct timespec* __restrict time) {
    const kairos_time_t deadline = deadline_of(*time);
    return result_of(is_recursive(mutex) ? kairos_recursive_mutex_lock_until(&mutex->lock, deadline)
                                         : kairos_mutex_lock_until(&mutex->lock.mutex, deadline));
}

int mtx_trylock(mtx_t* mutex) {
    return result_of(is_recursive(mutex) ? kairos_recursive_mutex_try_lock(&mutex->lock)
                                         : kairos_mutex_try_lock(&mutex->lock.mutex));
}

int mtx_unlock(mtx_t* mutex) {
    if (is_recursive(mutex)) {
        kairos_recursive_mutex_unlock(&mutex->lock);
    } else {
        kairos_mutex_unlock(&mutex->lock.mutex);
    }
    return thrd_success;
}

// ---- Condition variables ------------------------------------------------------------------------

int cnd_init(cnd_t* condition) {
    *condition = KAIROS_CONDITION_INIT;
    return thrd_success;
}

void cnd_destroy(cnd_t*) {}

int cnd_signal(cnd_t* condition) {
    kairos_condition_signal(condition);
    return thrd_success;
}

int cnd_broadcast(cnd_t* condition) {
    kairos_condition_broadcast(condition);
    return thrd_success;
}

// With a recursive mutex that is held once, as C wants it. An interrupt looks like a wake without
// cause.
static kairos_status_t wait_with(cnd_t* condition, mtx_t* mutex, kairos_time_t deadline) {
    const uintptr_t holder = mutex->lock.holder;
    mutex->lock.holder = 0;
    const kairos_status_t status = kairos_condition_wait(condition, &mutex->lock.mutex, deadline);
    mutex->lock.holder = holder;
    if (is_recursive(mutex)) mutex->lock.depth = 1;
    return status == -EINTR ? 0 : status;
}

int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    return result_of(wait_with(condition, mutex, KAIROS_TIME_INFINITE));
}

int cnd_timedwait(cnd_t* __restrict condition, mtx_t* __restrict mutex,
                  const struct timespec* __restrict time) {
    return result_of(wait_with(condition, mutex, deadline_of(*time)));
}

}  // extern "C"
