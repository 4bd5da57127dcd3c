// Locks between threads; see the header. A word tells who has to wait, futexes only sleep.
#include <kairos/kairos.h>
#include <kairos/sync.h>

#include "thread_block.hpp"

namespace {

constexpr uint32_t kFree = 0;
constexpr uint32_t kHeld = 1;
constexpr uint32_t kContended = 2;

constexpr uint32_t kOnceRunning = 1;
constexpr uint32_t kOnceAwaited = 2;
constexpr uint32_t kOnceDone = 3;

uint32_t load(const uint32_t& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }

bool replace(uint32_t& word, uint32_t expected, uint32_t desired) {
    return __atomic_compare_exchange_n(&word, &expected, desired, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

// Sleeps that an interrupt must not end: it is noted, and passed on to the thread's next blocking
// call when the wait is over.
class Uninterrupted {
  public:
    Uninterrupted() = default;
    Uninterrupted(const Uninterrupted&) = delete;
    Uninterrupted& operator=(const Uninterrupted&) = delete;
    ~Uninterrupted() {
        if (interrupted_) kairos_thread_interrupt(kairos_self_thread());
    }

    void sleep(const uint32_t& word, uint32_t expected) {
        if (kairos_futex_wait(&word, expected, KAIROS_TIME_INFINITE) == -EINTR) {
            interrupted_ = true;
        }
    }

  private:
    bool interrupted_ = false;
};

// What makes a wait return: its deadline or an interrupt. Anything else means to look again.
bool ends_wait(kairos_status_t status) { return status == -ETIMEDOUT || status == -EINTR; }

uintptr_t own_identity() { return reinterpret_cast<uintptr_t>(kairos::internal::current_block()); }

bool take_again(kairos_recursive_mutex& mutex) {
    const uintptr_t self = own_identity();
    if (self == 0 || __atomic_load_n(&mutex.holder, __ATOMIC_RELAXED) != self) return false;
    ++mutex.depth;
    return true;
}

void note_holder(kairos_recursive_mutex& mutex) {
    __atomic_store_n(&mutex.holder, own_identity(), __ATOMIC_RELAXED);
    mutex.depth = 1;
}

}  // namespace

extern "C" {

// ---- Mutex --------------------------------------------------------------------------------------

void kairos_mutex_lock(kairos_mutex* mutex) {
    if (replace(mutex->state, kFree, kHeld)) return;
    Uninterrupted wait;
    while (__atomic_exchange_n(&mutex->state, kContended, __ATOMIC_ACQUIRE) != kFree) {
        wait.sleep(mutex->state, kContended);
    }
}

kairos_status_t kairos_mutex_try_lock(kairos_mutex* mutex) {
    return replace(mutex->state, kFree, kHeld) ? 0 : -EBUSY;
}

kairos_status_t kairos_mutex_lock_until(kairos_mutex* mutex, kairos_time_t deadline) {
    if (replace(mutex->state, kFree, kHeld)) return 0;
    while (__atomic_exchange_n(&mutex->state, kContended, __ATOMIC_ACQUIRE) != kFree) {
        const kairos_status_t status = kairos_futex_wait(&mutex->state, kContended, deadline);
        if (ends_wait(status)) return status;
    }
    return 0;
}

// Also done in kairos_leave_stack (start.S).
void kairos_mutex_unlock(kairos_mutex* mutex) {
    if (__atomic_exchange_n(&mutex->state, kFree, __ATOMIC_RELEASE) == kContended) {
        kairos_futex_wake(&mutex->state, 1);
    }
}

// ---- Recursive mutex ----------------------------------------------------------------------------

void kairos_recursive_mutex_lock(kairos_recursive_mutex* mutex) {
    if (take_again(*mutex)) return;
    kairos_mutex_lock(&mutex->mutex);
    note_holder(*mutex);
}

kairos_status_t kairos_recursive_mutex_try_lock(kairos_recursive_mutex* mutex) {
    if (take_again(*mutex)) return 0;
    const kairos_status_t status = kairos_mutex_try_lock(&mutex->mutex);
    if (status == 0) note_holder(*mutex);
    return status;
}

kairos_status_t kairos_recursive_mutex_lock_until(kairos_recursive_mutex* mutex,
                                                  kairos_time_t deadline) {
    if (take_again(*mutex)) return 0;
    const kairos_status_t status = kairos_mutex_lock_until(&mutex->mutex, deadline);
    if (status == 0) note_holder(*mutex);
    return status;
}

void kairos_recursive_mutex_unlock(kairos_recursive_mutex* mutex) {
    if (--mutex->depth != 0) return;
    __atomic_store_n(&mutex->holder, 0, __ATOMIC_RELAXED);
    kairos_mutex_unlock(&mutex->mutex);
}

// ---- Condition variable -------------------------------------------------------------------------

// A signal between reading the sequence and sleeping changes the sequence, so it is not missed.
kairos_status_t kairos_condition_wait(kairos_condition* condition, kairos_mutex* mutex,
                                      kairos_time_t deadline) {
    __atomic_fetch_add(&condition->waiters, 1, __ATOMIC_SEQ_CST);
    const uint32_t sequence = load(condition->sequence);
    kairos_mutex_unlock(mutex);
    const kairos_status_t status = kairos_futex_wait(&condition->sequence, sequence, deadline);
    __atomic_fetch_sub(&condition->waiters, 1, __ATOMIC_SEQ_CST);
    kairos_mutex_lock(mutex);
    return ends_wait(status) ? status : 0;
}

static void signal_waiters(kairos_condition* condition, uint32_t count) {
    __atomic_fetch_add(&condition->sequence, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&condition->waiters, __ATOMIC_SEQ_CST) != 0) {
        kairos_futex_wake(&condition->sequence, count);
    }
}

void kairos_condition_signal(kairos_condition* condition) { signal_waiters(condition, 1); }
void kairos_condition_broadcast(kairos_condition* condition) {
    signal_waiters(condition, UINT32_MAX);
}

// ---- Semaphore ----------------------------------------------------------------------------------

kairos_status_t kairos_semaphore_try_wait(kairos_semaphore* semaphore) {
    uint32_t count = load(semaphore->count);
    while (count != 0) {
        if (__atomic_compare_exchange_n(&semaphore->count, &count, count - 1, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            return 0;
        }
    }
    return -EAGAIN;
}

kairos_status_t kairos_semaphore_wait(kairos_semaphore* semaphore, kairos_time_t deadline) {
    while (kairos_semaphore_try_wait(semaphore) < 0) {
        __atomic_fetch_add(&semaphore->waiters, 1, __ATOMIC_SEQ_CST);
        const kairos_status_t status = kairos_futex_wait(&semaphore->count, 0, deadline);
        __atomic_fetch_sub(&semaphore->waiters, 1, __ATOMIC_SEQ_CST);
        if (ends_wait(status)) return status;
    }
    return 0;
}

void kairos_semaphore_post(kairos_semaphore* semaphore) {
    __atomic_fetch_add(&semaphore->count, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&semaphore->waiters, __ATOMIC_SEQ_CST) != 0) {
        kairos_futex_wake(&semaphore->count, 1);
    }
}

// ---- Once ---------------------------------------------------------------------------------------

void kairos_once_call(kairos_once* once, void (*function)(void)) {
    if (load(once->state) == kOnceDone) return;
    if (replace(once->state, 0, kOnceRunning)) {
        function();
        if (__atomic_exchange_n(&once->state, kOnceDone, __ATOMIC_RELEASE) == kOnceAwaited) {
            kairos_futex_wake(&once->state, UINT32_MAX);
        }
        return;
    }
    Uninterrupted wait;
    while (load(once->state) != kOnceDone) {
        replace(once->state, kOnceRunning, kOnceAwaited);
        wait.sleep(once->state, kOnceAwaited);
    }
}

}  // extern "C"
