// Deadlines: one ordered queue per hart, a one-shot timer interrupt for the earliest, nothing
// periodic. Arming, disarming and firing take O(log n). A deadline is armed on the hart that asks,
// and disarmed from anywhere.
#pragma once

#include "base/tree.h"
#include "base/types.h"
#include "sync/hart.h"
#include "sync/spin_lock.h"

class Deadline {
  public:
    Deadline() = default;
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    Instant when() const { return when_; }

  protected:
    ~Deadline() = default;

  private:
    friend class DeadlineQueue;

    // Called once when the time has come, with the queue locked: takes no lock and destroys
    // nothing. After it, the deadline is not armed.
    virtual void expire() = 0;

    TreeNode node_;  // guarded by the queue's lock, as `when_`
    Instant when_{};
    HartIndex hart_{};  // whose queue; written before it is linked
};

class DeadlineQueue {
  public:
    // Arms `deadline`, which is not armed, on this hart. One in the past fires with the next
    // interrupt; Instant::never() is not armed at all.
    static void arm(Deadline& deadline, Instant when);
    // Makes sure that it will not fire any more. False if it has fired or was never armed; in
    // either case expire() is not running when this returns.
    static bool disarm(Deadline& deadline);
    // Fires what is due on this hart, a bounded number at a time, and asks for the next interrupt.
    static void fire_due();

  private:
    struct KeyOf {
        uint64_t operator()(const Deadline& deadline) const { return deadline.when_.nanoseconds; }
    };

    static void ask_for_interrupt(DeadlineQueue& queue);

    SpinLock lock_{LockRank::kDeadline};
    Tree<Deadline, &Deadline::node_, KeyOf> tree_;
    Instant asked_ = Instant::never();  // what this hart's timer is set to
    Instant not_before_{};              // the next interrupt, because of what has just fired

    static PerHart<DeadlineQueue> queues_;
};
