// The SDK's locks on top of futexes: mutex, recursive mutex, condition variable, semaphore, once.
#include <kairos/sync.h>

#include "harness.h"
#include "messages.h"
#include "workers.h"

TEST("mutex: one at a time") {
    static kairos_mutex mutex = KAIROS_MUTEX_INIT;
    uint64_t counter = 0;
    const auto count = [&] {
        for (int i = 0; i < 2000; ++i) {
            kairos_mutex_lock(&mutex);
            const uint64_t seen = counter;
            if (i % 64 == 0) kairos_yield();
            counter = seen + 1;
            kairos_mutex_unlock(&mutex);
        }
    };
    {
        Worker one(count);
        Worker two(count);
        Worker three(count);
    }
    EXPECT_EQ(6000u, counter);
    EXPECT_EQ(0u, mutex.state);
}

TEST("mutex: try, and with a deadline") {
    kairos_mutex mutex = KAIROS_MUTEX_INIT;
    EXPECT_STATUS(0, kairos_mutex_try_lock(&mutex));
    Worker other([&] {
        EXPECT_STATUS(-EBUSY, kairos_mutex_try_lock(&mutex));
        EXPECT_STATUS(-ETIMEDOUT, kairos_mutex_lock_until(&mutex, kPast));
        EXPECT_STATUS(-ETIMEDOUT, kairos_mutex_lock_until(&mutex, kairos_clock_now() + 100'000));
    });
    other.join();
    Blocked waiter([&] { return kairos_mutex_lock_until(&mutex, kForever); });
    waiter.interrupt();
    EXPECT_STATUS(-EINTR, waiter.result());
    kairos_mutex_unlock(&mutex);
    EXPECT_STATUS(0, kairos_mutex_lock_until(&mutex, kPast));
    kairos_mutex_unlock(&mutex);
}

TEST("recursive mutex: as often as its holder likes") {
    kairos_recursive_mutex mutex = KAIROS_RECURSIVE_MUTEX_INIT;
    for (int i = 0; i < 3; ++i) kairos_recursive_mutex_lock(&mutex);
    EXPECT_STATUS(0, kairos_recursive_mutex_try_lock(&mutex));
    for (int i = 0; i < 3; ++i) kairos_recursive_mutex_unlock(&mutex);
    Worker other([&] {
        EXPECT_STATUS(-EBUSY, kairos_recursive_mutex_try_lock(&mutex));
        EXPECT_STATUS(-ETIMEDOUT, kairos_recursive_mutex_lock_until(&mutex, kPast));
    });
    other.join();
    kairos_recursive_mutex_unlock(&mutex);
    Worker again([&] {
        EXPECT_STATUS(0, kairos_recursive_mutex_try_lock(&mutex));
        kairos_recursive_mutex_unlock(&mutex);
    });
}

TEST("condition: a queue of one between two threads") {
    constexpr uint32_t kItems = 2000;
    kairos_mutex mutex = KAIROS_MUTEX_INIT;
    kairos_condition changed = KAIROS_CONDITION_INIT;
    uint32_t slot = 0;  // 0: empty
    Worker consumer([&] {
        for (uint32_t i = 1; i <= kItems; ++i) {
            kairos_mutex_lock(&mutex);
            while (slot == 0) kairos_condition_wait(&changed, &mutex, kForever);
            EXPECT_EQ(i, slot);
            slot = 0;
            kairos_condition_broadcast(&changed);
            kairos_mutex_unlock(&mutex);
        }
    });
    for (uint32_t i = 1; i <= kItems; ++i) {
        kairos_mutex_lock(&mutex);
        while (slot != 0) kairos_condition_wait(&changed, &mutex, kForever);
        slot = i;
        kairos_condition_broadcast(&changed);
        kairos_mutex_unlock(&mutex);
    }
    consumer.join();
}

TEST("condition: out of time, the mutex is taken again") {
    kairos_mutex mutex = KAIROS_MUTEX_INIT;
    kairos_condition condition = KAIROS_CONDITION_INIT;
    kairos_mutex_lock(&mutex);
    EXPECT_STATUS(-ETIMEDOUT, kairos_condition_wait(&condition, &mutex, kPast));
    EXPECT_STATUS(-ETIMEDOUT,
                  kairos_condition_wait(&condition, &mutex, kairos_clock_now() + 100'000));
    EXPECT(mutex.state != 0);
    kairos_mutex_unlock(&mutex);
    EXPECT_EQ(0u, mutex.state);
    EXPECT_EQ(0u, condition.waiters);
}

TEST("condition: a broadcast wakes all") {
    kairos_mutex mutex = KAIROS_MUTEX_INIT;
    kairos_condition condition = KAIROS_CONDITION_INIT;
    bool go = false;
    const auto wait = [&] {
        kairos_mutex_lock(&mutex);
        while (!go) kairos_condition_wait(&condition, &mutex, kForever);
        kairos_mutex_unlock(&mutex);
        return kairos_status_t{0};
    };
    Blocked one(wait);
    Blocked two(wait);
    Blocked three(wait);
    kairos_mutex_lock(&mutex);
    go = true;
    kairos_condition_broadcast(&condition);
    kairos_mutex_unlock(&mutex);
    EXPECT_STATUS(0, one.result());
    EXPECT_STATUS(0, two.result());
    EXPECT_STATUS(0, three.result());
}

TEST("semaphore: counts") {
    kairos_semaphore semaphore = KAIROS_SEMAPHORE_INIT(2);
    EXPECT_STATUS(0, kairos_semaphore_try_wait(&semaphore));
    EXPECT_STATUS(0, kairos_semaphore_wait(&semaphore, kForever));
    EXPECT_STATUS(-EAGAIN, kairos_semaphore_try_wait(&semaphore));
    EXPECT_STATUS(-ETIMEDOUT, kairos_semaphore_wait(&semaphore, kPast));
    Blocked waiter([&] { return kairos_semaphore_wait(&semaphore, kForever); });
    kairos_semaphore_post(&semaphore);
    EXPECT_STATUS(0, waiter.result());
    Blocked interrupted([&] { return kairos_semaphore_wait(&semaphore, kForever); });
    interrupted.interrupt();
    EXPECT_STATUS(-EINTR, interrupted.result());
    EXPECT_EQ(0u, semaphore.count);
    EXPECT_EQ(0u, semaphore.waiters);
}

TEST("semaphore: no post is lost") {
    constexpr int kPosts = 1500;
    kairos_semaphore semaphore = KAIROS_SEMAPHORE_INIT(0);
    const auto take = [&] {
        for (int i = 0; i < kPosts; ++i)
            EXPECT_STATUS(0, kairos_semaphore_wait(&semaphore, kForever));
    };
    Worker one(take);
    Worker two(take);
    for (int i = 0; i < 2 * kPosts; ++i) kairos_semaphore_post(&semaphore);
    one.join();
    two.join();
    EXPECT_EQ(0u, semaphore.count);
}

TEST("once: one call, and all wait for its end") {
    static std::atomic<int> calls;
    static std::atomic<bool> over;
    static kairos_once once = KAIROS_ONCE_INIT;
    calls = 0;
    over = false;
    const auto call = [] {
        kairos_once_call(&once, [] {
            calls.fetch_add(1);
            for (int i = 0; i < 50; ++i) kairos_yield();
            over = true;
        });
        EXPECT(over.load());
    };
    {
        Worker one(call);
        Worker two(call);
        Worker three(call);
    }
    EXPECT_EQ(1, calls.load());
}
