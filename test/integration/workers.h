// Threads of a case, and ways to bring them into a known state without waiting for time to pass.
#pragma once

#include <atomic>

#include "owned.h"

inline kairos_info_thread thread_info(kairos_handle_t thread) {
    return info_of<kairos_info_thread>(thread, KAIROS_INFO_THREAD);
}

// Until a thread sleeps in a call, or has ended. True if it sleeps.
inline bool wait_until_blocked(kairos_handle_t thread) {
    while (true) {
        const uint32_t state = thread_info(thread).state;
        if (state == KAIROS_THREAD_BLOCKED) return true;
        if (state == KAIROS_THREAD_ENDED) return false;
        kairos_yield();
    }
}

// Runs a function in a new thread; waits for its end when it goes.
template <typename Function>
class Worker {
  public:
    explicit Worker(Function function) : function_(function) {
        const kairos_status_t started = kairos_thread_spawn(
            [](void* self) { static_cast<Worker*>(self)->function_(); }, this, thread_.out());
        REQUIRE_STATUS(0, started);
    }
    ~Worker() { join(); }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    kairos_handle_t thread() const { return thread_; }
    // The function has to be one that sleeps.
    void wait_until_blocked() { EXPECT(::wait_until_blocked(thread_)); }
    void interrupt() { EXPECT_STATUS(0, kairos_thread_interrupt(thread_)); }
    void join() {
        if (thread_ == KAIROS_HANDLE_INVALID) return;
        EXPECT_STATUS(0, kairos_thread_join(thread_, KAIROS_TIME_INFINITE));
        thread_.close();
    }

  private:
    Function function_;
    Owned thread_;
};

// One blocking call in a thread of its own, and its result.
template <typename Call>
class Blocked {
  public:
    // Returns when the call sleeps.
    explicit Blocked(Call call) : worker_(Run{this}), call_(call) {
        go_.store(true);
        worker_.wait_until_blocked();
    }

    kairos_handle_t thread() const { return worker_.thread(); }
    bool still_sleeps() const {
        return thread_info(worker_.thread()).state == KAIROS_THREAD_BLOCKED;
    }
    void interrupt() { worker_.interrupt(); }
    // Waits for the call to return.
    kairos_status_t result() {
        worker_.join();
        return result_;
    }

  private:
    struct Run {
        Blocked* self;
        void operator()() {
            while (!self->go_.load()) kairos_yield();
            self->result_ = self->call_();
        }
    };
    std::atomic<bool> go_{false};
    kairos_status_t result_ = INT64_MIN;
    Worker<Run> worker_;
    Call call_;
};

// One that may be over before anybody looks.
template <typename Call>
class Fickle {
  public:
    // Returns when the call sleeps or is over.
    explicit Fickle(Call call) : call_(call), worker_(Run{this}) {
        ::wait_until_blocked(worker_.thread());
    }

    kairos_handle_t thread() const { return worker_.thread(); }
    kairos_status_t result() {
        worker_.join();
        return result_;
    }

  private:
    struct Run {
        Fickle* self;
        void operator()() { self->result_ = self->call_(); }
    };
    kairos_status_t result_ = INT64_MIN;
    Call call_;
    Worker<Run> worker_;
};

// Lets the calling thread, or another, run on one hart only.
inline void pin(uint32_t hart, kairos_handle_t thread = kairos_self_thread()) {
    REQUIRE_STATUS(0, kairos_thread_set_affinity(thread, uint64_t{1} << hart));
}
inline void unpin(kairos_handle_t thread = kairos_self_thread()) {
    REQUIRE_STATUS(0, kairos_thread_set_affinity(thread, UINT64_MAX));
}

// A point that `count` threads have to reach before any goes on. Sleeps in the kernel, so it works
// however few harts there are; may be used again.
class Barrier {
  public:
    explicit Barrier(uint32_t count) : count_(count) {}

    void arrive() {
        const uint32_t round = round_.load();
        if (arrived_.fetch_add(1) + 1 == count_) {
            arrived_.store(0);
            round_.fetch_add(1);
            kairos_futex_wake(word(), UINT32_MAX);
            return;
        }
        while (round_.load() == round) kairos_futex_wait(word(), round, KAIROS_TIME_INFINITE);
    }

  private:
    const uint32_t* word() const { return reinterpret_cast<const uint32_t*>(&round_); }

    const uint32_t count_;
    std::atomic<uint32_t> arrived_{0};
    std::atomic<uint32_t> round_{0};
};

// Random numbers (xorshift); a run is repeated by its seed.
class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 | 1) {}
    uint64_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }
    uint32_t below(uint32_t bound) { return static_cast<uint32_t>((next() >> 20) % bound); }

  private:
    uint64_t state_;
};
