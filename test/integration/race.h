// Two threads that do one thing each at the same moment, on different harts where there are two,
// again and again with different delays.
#pragma once

#include "messages.h"
#include "workers.h"

// Both threads have to come before either goes on. Spins for a while, so that they go on together,
// and then sleeps, so that nothing waits for a hart that is kept busy for nothing.
class Gate {
  public:
    void pass() {
        const uint32_t round = round_.load();
        if (arrived_.fetch_add(1) + 1 == 2) {
            arrived_.store(0);
            round_.store(round + 1);
            kairos_futex_wake(word(), 1);
            return;
        }
        for (uint32_t spins = 0; spins < kSpins; ++spins) {
            if (round_.load() != round) return;
        }
        while (round_.load() == round) kairos_futex_wait(word(), round, kForever);
    }

  private:
    static constexpr uint32_t kSpins = 2000;
    const uint32_t* word() const { return reinterpret_cast<const uint32_t*>(&round_); }

    std::atomic<uint32_t> arrived_{0};
    std::atomic<uint32_t> round_{0};
};

// Passes a little time, without a system call.
inline void spin(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) asm volatile("" ::"r"(i));
}

// The second thread of a race; the first is the caller's.
class Rival {
  public:
    Rival() : harts_(hart_count()), worker_(Run{this}) {
        pin(0);
        pin(harts_ > 1 ? 1 : 0, worker_.thread());
    }
    ~Rival() {
        stop_ = true;
        gate_.pass();
        worker_.join();
        unpin();
    }

    // Runs `theirs()` in the other thread and `ours()` here, at about the same time; then `end()`
    // here, which has to make `theirs` return, whatever it may be blocked in.
    template <typename Theirs, typename Ours, typename End>
    void race(Theirs theirs, Ours ours, End end) {
        task_ = [](void* function) { (*static_cast<Theirs*>(function))(); };
        argument_ = &theirs;
        const uint32_t delay = random_.below(600);
        delay_ = random_.below(600);
        gate_.pass();
        spin(delay);
        if (harts_ == 1 && random_.below(2) == 0) kairos_yield();
        ours();
        end();
        gate_.pass();
    }

  private:
    struct Run {
        Rival* self;
        void operator()() {
            while (true) {
                self->gate_.pass();
                if (self->stop_) return;
                spin(self->delay_);
                self->task_(self->argument_);
                self->gate_.pass();
            }
        }
    };
    const uint32_t harts_;
    Gate gate_;
    Random random_{kairos_clock_now()};
    std::atomic<bool> stop_{false};
    void (*task_)(void*) = nullptr;
    void* argument_ = nullptr;
    uint32_t delay_ = 0;
    Worker<Run> worker_;
};
