// The watchdog: notices a hart that does not come back from what it does in the kernel, and a
// thread that sleeps although what it waits for is there, or although it was woken.
//
// Harts. While anything runs on the machine, each hart looks once a period at the one after it. Any
// interrupt is a sign of life, and the timer of its own looks makes one; a hart that gave none is
// interrupted, and one that gives none for kPatience periods stops the machine with a report. A
// machine that has been at rest for some periods has no timer set for this: the first hart that
// finds something to do then sets its own, and has the one before it set its own too. (With one
// hart nobody looks at it.) A hart that hangs with a lock may draw others after it; so who waits
// for a lock for as long stops the machine as well.
//
// Threads. Once a period harts that idle look at all sleeping threads, one at a time. Between a
// wake and the sleeper's going on there is always a moment when its condition holds; so what counts
// is that it has held at several looks, and that the thread has not run in between.
#pragma once

#include <atomic>
#include <cstdint>

#include "sched/thread.h"
#include "sync/hart.h"
#include "wait/deadline.h"

class Watchdog {
  public:
    static constexpr uint64_t kUsualPeriod = 10'000'000'000;

    // Boot, before other harts are there; 0: there is none.
    static void start(uint64_t period_ns) {
        period_ = period_ns;
        SpinLock::set_patience(kPatience * period_ns);
    }

    // This hart has found something to run. Interrupts are off and no lock is held.
    static void on_leaving_idle() {
        if (period_ != 0 && (!local().armed_ || !is_armed(observer()))) begin_to_watch();
    }
    // Before anything else that an interrupt sets in motion.
    static void on_interrupt();
    // attention::kWatch; no lock is held.
    static void look_at_next_hart();
    // What is due of it on an idle hart, in small pieces; false if nothing was.
    static bool work_while_idle();

  private:
    static constexpr uint32_t kPatience = 4;  // looks without a sign of life, or with a condition

    class Turn final : public Deadline {
        void expire() override;
    };

    static Watchdog& local() { return watchdogs_.local(); }
    static HartIndex after(HartIndex hart) { return {(hart.value + 1) % Harts::count()}; }
    // Who looks at this hart.
    static HartIndex observer() {
        return {(this_hart().index.value + Harts::count() - 1) % Harts::count()};
    }
    static bool is_armed(HartIndex hart) {
        return (armed_harts_.load(std::memory_order_relaxed) >> hart.value & 1) != 0;
    }
    static void begin_to_watch();
    static bool look_at_a_thread();
    static void check_thread(Thread& thread);
    void arm();
    void rest_if_machine_does();
    void check_hart(HartIndex hart);

    Turn turn_;
    bool armed_ = false;
    uint64_t switches_seen_ = 0;  // of all harts
    uint32_t quiet_looks_ = 0;    // at which there were no more of them, in a row
    uint32_t signs_seen_ = 0;     // of the hart that this one looks at
    uint32_t misses_ = 0;
    std::atomic<uint32_t> signs_{0};  // of this hart's life; written by it alone

    static uint64_t period_;
    static std::atomic<uint32_t> armed_harts_;
    static PerHart<Watchdog> watchdogs_;
};
