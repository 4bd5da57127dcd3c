// The wait core: every sleep in the kernel is a thread's Waiter blocked on one WaitSource.
//
// A WaitSource belongs to an object and is guarded by that object's lock (a channel's two endpoints
// share one). A sleeper shows the sequence it saw before it checked its condition; if the source
// was woken since, it does not sleep. Four parties may end a sleep (the source, the deadline, an
// interrupt, a kill), and exactly one does: the one that moves the waiter's state away from
// kWaiting.
//
//     sleeper                         waker (holds the guard)        deadline / interrupt / kill
//     1 guard: state = kWaiting,
//       waiter in the list
//     2 unlock, arm the deadline
//     3 park                          4 unlink, claim(kData) ─┐      4' claim(kTimeout) ─┐
//                                     5 unlock, make_ready <──┘      5' make_ready   <───┘
//     6 runs: disarms; after 4' takes the guard and unlinks itself, unless a waker that came too
//       late to claim has done so.
//
// A waker whose claim fails goes on to the next waiter, so no wake is spent on a thread that was
// just leaving.
//
// Waking all of many is done a few at a time. The first of the rest is claimed, and made ready
// last: until then it sleeps in its call, which keeps the object and its guard, and it keeps the
// rest.
//
//     this hart ──> Waiter ──> Waiter      claimed, one for each wake that is not complete
//                     │ rest_
//                     └──> waiters that sleep still, guarded by the source's guard as before
#pragma once

#include <atomic>
#include <cstdint>

#include "base/list.h"
#include "base/result.h"
#include "base/types.h"
#include "sync/injection.h"
#include "sync/spin_lock.h"
#include "wait/deadline.h"

enum class WakeReason : uint32_t {
    kMoved = 1,  // did not sleep: the source's sequence had moved
    kData = 2,
    kHup = 3,     // the other side went away
    kClose = 4,   // the object itself went away
    kSignal = 5,  // interrupted or killed
    kTimeout = 6,
    kCancel = 7,  // the handle that the call came through was revoked
};

class WaitSource;

// What a blocked thread lays open so that a waker can complete its operation for it; each object
// type derives its own. Lives on the blocked thread's stack; touched by the claimer only.
struct Offer {
    // The readiness of the source's owner that ends the sleep, if the watchdog shall know.
    uint32_t awaits = 0;
};

class Waiter {
  public:
    Waiter() : timeout_(*this) {}
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    // Ends the sleep in progress, if there is one that nobody else has ended. The winner calls
    // make_ready. For its source and its deadline, which know that it sleeps there.
    [[nodiscard]] bool claim(WakeReason reason) { return claim_from(asleep_, reason); }

    // Makes the blocked call, or the next one that would block, return -EINTR.
    void interrupt();
    // Ends every sleep of this thread from now on.
    void kill();
    bool killed() const { return is_told(kKill); }
    // After a sleep that ended with kSignal: whether it was an interrupt, which is used up by this.
    bool take_interrupt() { return untell(kInterrupt); }

    // Ends the call in progress, whether it sleeps already or is about to: the handle that it came
    // through was revoked.
    void cancel();
    // The call in progress does not block through a handle any more: nobody cancels it, and what
    // did cancel it is forgotten.
    void forget_cancel() { untell(kCancel); }

    // Whether the thread has to stop on its way to user mode. Ends no sleep.
    void tell_to_stop() { told_.fetch_or(kStop, std::memory_order_seq_cst); }
    void tell_to_go_on() { untell(kStop); }
    // Killed or told to stop: not to go to user mode as it is.
    bool may_not_leave() const { return is_told(kKill | kStop); }

    // While it exists, the calling thread's sleeps heed nothing from outside but a kill; what else
    // it is told is kept for later.
    class Deaf {
      public:
        explicit Deaf(Waiter& self) : self_(self) {
            self_.heeds_ = kKill;
            self_.asleep_ = kWaitingDeaf;
        }
        ~Deaf() {
            self_.heeds_ = kKill | kInterrupt | kCancel;
            self_.asleep_ = kWaiting;
        }
        Deaf(const Deaf&) = delete;
        Deaf& operator=(const Deaf&) = delete;

      private:
        Waiter& self_;
    };

    // Among the calls that block through one handle; guarded by the lineage lock of its object.
    ListNode use_node;

    // The object that the thread sleeps on, or slept on last; for reports.
    ObjectId sleeps_on() const { return sleeps_on_.load(std::memory_order_relaxed); }
    // The readiness of that object which ends the sleep; 0: not known.
    uint32_t awaits() const { return awaits_.load(std::memory_order_relaxed); }
    Instant sleeps_until() const { return deadline_.load(std::memory_order_relaxed); }
    // Its sleep is not over: nobody has claimed it.
    bool asleep() const {
        const uint32_t state = state_.load(std::memory_order_acquire);
        return state == kWaiting || state == kWaitingDeaf;
    }
    // The source that it sleeps on, while asleep() holds; for panics, when nobody moves.
    const WaitSource* source() const { return source_; }

    // Valid for the winner of a claim, until it calls make_ready; null if nothing was offered.
    Offer* offer() const { return offer_; }

  private:
    friend class WaitSource;
    friend class WakeBatch;

    // States besides the reason that ended a sleep.
    static constexpr uint32_t kRunning = 0;
    static constexpr uint32_t kWaiting = 1;
    static constexpr uint32_t kWaitingDeaf = 8;

    // What a thread may be told.
    static constexpr uint32_t kInterrupt = 1u << 0;
    static constexpr uint32_t kKill = 1u << 1;
    static constexpr uint32_t kCancel = 1u << 2;
    static constexpr uint32_t kStop = 1u << 3;

    class Timeout final : public Deadline {
      public:
        explicit Timeout(Waiter& waiter) : waiter_(waiter) {}

      private:
        void expire() override;
        Waiter& waiter_;
    };

    bool is_told(uint32_t what) const {
        return (told_.load(std::memory_order_relaxed) & what) != 0;
    }
    // Takes it back; whether it had been told.
    bool untell(uint32_t what) {
        return is_told(what) && (told_.fetch_and(~what, std::memory_order_relaxed) & what) != 0;
    }
    bool claim_from(uint32_t state, WakeReason reason) {
        if constexpr (kDebugBuild) {
            if (reason == WakeReason::kData && injected(Injection::kLostWake)) return false;
        }
        return state_.compare_exchange_strong(state, static_cast<uint32_t>(reason),
                                              std::memory_order_acq_rel);
    }
    void tell(uint32_t what, WakeReason reason);
    // Ends a sleep that was just published if what would have ended it came before. The winner
    // does not make it ready.
    [[nodiscard]] bool claim_if_overdue();

    std::atomic<uint32_t> state_{kRunning};
    std::atomic<uint32_t> told_{0};
    // The thread's own; while it sleeps, also its source's and its deadline's to read.
    uint32_t asleep_ = kWaiting;  // what its state is while it sleeps
    uint32_t heeds_ = kKill | kInterrupt | kCancel;
    // Of the sleep; written by the sleeper, before it is published.
    std::atomic<Instant> deadline_{};
    Offer* offer_ = nullptr;
    const WaitSource* source_ = nullptr;  // as deadline_, and the next
    std::atomic<ObjectId> sleeps_on_{ObjectId::kNone};
    std::atomic<uint32_t> awaits_{0};
    ListNode node_;  // in a source's waiters; guarded by the source's guard
    Waiter* next_in_batch_ = nullptr;
    // Of one that was claimed to keep those who are to be woken after it: they, and their source's
    // guard, which guards them.
    List<Waiter, &Waiter::node_> rest_;
    SpinLock* guard_of_rest_ = nullptr;
    Timeout timeout_;
};

// Waiters that were claimed under a lock and are made ready outside it: declare it before the
// LockGuard.
class WakeBatch {
  public:
    WakeBatch() = default;
    WakeBatch(const WakeBatch&) = delete;
    WakeBatch& operator=(const WakeBatch&) = delete;
    ~WakeBatch() { flush(); }

    void add(Waiter& claimed) {
        claimed.next_in_batch_ = nullptr;
        *end_ = &claimed;
        end_ = &claimed.next_in_batch_;
    }
    void flush();
    // Makes all of them ready, or, if there is one only and it may run next, leaves that to the
    // caller: null, or who it is.
    Waiter* flush_but_next();

  private:
    Waiter* first_ = nullptr;
    Waiter** end_ = &first_;
};

// A poll's registration with one of the sources that it looks at (fd/poll.cpp). It does not sleep
// there: it is told of the next wake, and looks for itself.
//
// Being told takes it out of the source's list. A wake tells a few only, since anybody may make
// many watchers; whoever was told passes the word on to the next few (notify_watchers) in its own
// time, and before it sleeps again.
class Watcher {
  public:
    // Something may have become true. The source's guard is held.
    virtual void notify(WakeBatch& batch) = 0;

    ListNode watch_node;  // guarded by the source's guard

  protected:
    ~Watcher() = default;
};

class WaitSource {
  public:
    // A source without an owner belongs to several objects, or to none.
    constexpr WaitSource() = default;
    // For reports: the id of the object that owns it, and what is waited for.
    constexpr WaitSource(const ObjectId& owner, const char* what) : owner_(&owner), what_(what) {}
    WaitSource(const WaitSource&) = delete;
    WaitSource& operator=(const WaitSource&) = delete;

    ObjectId owner() const { return owner_ == nullptr ? ObjectId::kNone : *owner_; }
    const char* what() const { return what_; }

    // Moves with every wake. Read it, with the guard held, before checking the condition.
    uint64_t sequence() const { return sequence_; }

    // Blocks the current thread until a wake, the deadline, an interrupt or a kill. `guard` holds
    // this source's guard and is released; it is not held on return. `offer`, if given, outlives
    // the call; `wakes`, collected under the guard, are made ready before it sleeps, or switched
    // to. BLOCKS.
    WakeReason block(LockGuard& guard, uint64_t seen_sequence, Instant deadline,
                     Offer* offer = nullptr, WakeBatch* wakes = nullptr) NO_THREAD_SAFETY_ANALYSIS;

    // All below: the guard is held.
    void wake_one(WakeReason reason, WakeBatch& batch);
    // `guard` is the one that is held. Some are in the batch, further ones are this hart's to wake
    // on its way out of the kernel, or while idle.
    void wake_all(WakeReason reason, WakeBatch& batch, SpinLock& guard) {
        ++sequence_;
        notify_watchers(batch);
        if (has_waiters()) claim_some(waiters_, reason, batch, guard);
    }
    bool has_waiters() const { return !waiters_.empty(); }
    // Whether a wake would be noticed.
    bool watched() const { return has_waiters() || !watchers_.empty(); }
    void watch(Watcher& watcher) { watchers_.push_back(watcher); }
    static void unwatch(Watcher& watcher) { List<Watcher, &Watcher::watch_node>::remove(watcher); }
    // Tells the watchers alone, the first few. Wakes do it themselves, but for take().
    void notify_watchers(WakeBatch& batch) {
        if (!watchers_.empty()) tell_first_watchers(batch);
    }
    // For direct completion: walk the waiters, look at their offers, and take one.
    Waiter* first_waiter() const { return waiters_.front(); }
    Waiter* waiter_after(Waiter& waiter) const { return waiters_.after(waiter); }
    // Claims a waiter that sleeps, or has just slept, on this source, and unlinks it; false if it
    // is leaving by another way, on which it may have unlinked itself. The winner completes the
    // operation and then adds the waiter to a WakeBatch.
    [[nodiscard]] bool take(Waiter& waiter, WakeReason reason);
    // Undoes take(): the waiter sleeps on, first in line, unless something else has come for it
    // meanwhile; then it is in `batch`.
    void put_back(Waiter& waiter, WakeBatch& batch);

    // No lock is held: wakes a few of those that a wake_all on this hart has left. False if there
    // were none.
    static bool wake_more();

  private:
    using Waiters = List<Waiter, &Waiter::node_>;

    void tell_first_watchers(WakeBatch& batch);
    static Waiter* claim_next(Waiters& waiters, WakeReason reason);
    static void claim_some(Waiters& waiters, WakeReason reason, WakeBatch& batch, SpinLock& guard);

    const ObjectId* const owner_ = nullptr;
    const char* const what_ = "a wake";
    uint64_t sequence_ = 0;
    Waiters waiters_;  // first come, first served
    List<Watcher, &Watcher::watch_node> watchers_;
};

// What a sleep that its condition did not end means to the caller: reasons from kSignal on. Uses up
// an interrupt.
Error error_of_sleep(WakeReason reason);
