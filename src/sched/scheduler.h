// Scheduling, one Scheduler per hart. A hart's run queue is touched by that hart alone, without a
// lock; other harts hand it threads through its *release queue*, a lock-free stack, and an
// inter-processor interrupt.
//
//     other hart                      this hart
//     push(thread) ─> release queue ─> drained into the run queue: in the IPI, before each choice
//     send_ipi
//
// Policy: the highest priority first; among equals below KPRIORITY_REAL_TIME processes take turns
// of one time slice, from there up it is first in, first out. Below real time nobody waits for
// ever: one slice in kSlicesPerLoan is lent to somebody of a lower priority, the priorities in
// turn, and only real time interrupts it. The timer runs only while somebody waits for his turn. A
// woken thread runs where it ran last; threads that wait in a queue while another hart idles are
// sent there with the next slice, or at once when they are started.
//
// The kernel is not preemptible but at preemption points; a switch happens in park(), in yield(),
// at the end of a thread, in preemption_point() and on the way out to user mode.
#pragma once

#include <atomic>
#include <cstdint>

#include "sched/run_queue.h"
#include "sync/hart.h"
#include "wait/deadline.h"

class Scheduler {
  public:
    // Turns the calling boot context into this hart's idle thread. Does not return.
    [[noreturn]] static void run();

    // Makes a new thread ready, on an idle hart that it may run on if there is one. It keeps a
    // reference of its own until it ends.
    static void start(Thread& thread);
    // Makes a thread ready whose sleep the caller has ended.
    static void make_ready(Thread& thread);
    // Sleeps until make_ready.
    static void park(Thread& self);
    // Whether a thread that is about to be ready would be this hart's next choice.
    static bool may_run_next(const Thread& thread);
    // Parks, and runs such a thread.
    static void park_for(Thread& self, Thread& next);
    // Lets others of the same priority, and all above, run first.
    static void yield();
    // Ends the current thread, which has let go of everything. Its own reference is dropped once
    // it is off its stack.
    [[noreturn]] static void end_current();

    // To the attention of the hart that the thread runs on, if it does.
    static void poke(Thread& thread);
    static void set_priority(Thread& thread, uint32_t priority);
    // `mask` names at least one hart that exists.
    static void set_affinity(Thread& thread, uint64_t mask);

    // Interrupts and ways out of the kernel.
    static void on_ipi();
    static void reschedule();

    // Has another hart look at its inboxes, and at what else waits for it.
    static void interrupt(HartIndex hart);

    static bool is_idle(HartIndex hart) {
        return (idle_harts_.load(std::memory_order_relaxed) >> hart.value & 1) != 0;
    }
    // Whether every hart but this one idles.
    static bool others_idle();
    // Threads that were sent there by other harts.
    static uint64_t migrated_to(HartIndex hart) {
        return schedulers_.at(hart).migrated_here_.load(std::memory_order_relaxed);
    }
    // How long the hart has idled, up to now.
    static uint64_t idle_ns(HartIndex hart);

    // The first thing any thread runs after a switch to it.
    static void finish_switch();

  private:
    class Slice final : public Deadline {
        void expire() override;
    };
    // A stack that any hart pushes to and its owner empties as a whole.
    template <Thread* Thread::*kNext>
    class Inbox {
      public:
        // True if it was empty: the owner has to be told.
        bool push(Thread& thread);
        // All of it, in the order of pushing.
        Thread* take_all();
        bool empty() const { return first_.load(std::memory_order_acquire) == nullptr; }

      private:
        std::atomic<Thread*> first_{nullptr};
    };

    static Scheduler& local() { return schedulers_.local(); }
    static RunQueue& run_queue() { return run_queues_.local(); }
    static HartIndex place(const Thread& thread);
    static void send_to(HartIndex hart, Thread& thread);
    static void request_adjustment(Thread& thread);
    void read_inboxes();
    void adjust(Thread& thread);
    void enqueue(Thread& thread);
    void switch_away();
    void switch_to(Thread& next);
    void want_slice();
    bool lend_slice(Thread& running);
    void share_with_idle_harts();
    void idle();

    Inbox<&Thread::next_released_> released_;  // threads that are ready and belong here now
    Inbox<&Thread::next_adjusted_> adjusted_;  // threads whose priority or affinity has changed
    Thread* idle_thread_ = nullptr;
    Thread* switched_from_ = nullptr;  // from just before a switch until finish_switch
    bool send_away_left_ = false;      // the thread switched from may not run here
    Slice slice_;
    bool slice_armed_ = false;
    bool slice_over_ = false;
    uint32_t slices_ = 0;                        // since the last one that was lent
    uint32_t lent_below_ = KPRIORITY_REAL_TIME;  // the next is for a priority below this
    const Thread* lent_to_ = nullptr;            // the slice in progress; nobody else's
    std::atomic<uint64_t> migrated_here_{0};

    static std::atomic<uint64_t> idle_harts_;
    static PerHart<Scheduler> schedulers_;
    // Apart: they are zeros at first, and so take no room in the kernel's image.
    static PerHart<RunQueue> run_queues_;
};
