#include "wait/wait_source.h"

#include <utility>

#include "arch/time.h"
#include "sync/hart.h"
#include "trace/counters.h"
#include "trace/records.h"
#include "wait/parking.h"

namespace {

constexpr int kToldPerWake = 8;

// Waiters woken under one hold of a guard, and so beside each other's sources.
constexpr int kWokenPerHold = 8;

// Those that keep the rest of a wake, on the hart that began or continued it; its own hart's only.
constinit PerHart<Waiter*> unfinished;

// Counters of wakes stand in the order of the reasons.
void count_wake(WakeReason reason) {
    static_assert(
        static_cast<uint32_t>(Counter::wake_cancel) - static_cast<uint32_t>(Counter::wake_data) ==
        static_cast<uint32_t>(WakeReason::kCancel) - static_cast<uint32_t>(WakeReason::kData));
    count(static_cast<Counter>(static_cast<uint32_t>(Counter::wake_data) +
                               static_cast<uint32_t>(reason) -
                               static_cast<uint32_t>(WakeReason::kData)));
}

}  // namespace

void Waiter::Timeout::expire() {
    if (waiter_.claim(WakeReason::kTimeout)) make_ready(waiter_);
}

// It was told before this looks for a sleep to end; a sleeper publishes its sleep before it looks
// at what it was told (WaitSource::block). So one of the two sees the other.
void Waiter::tell(uint32_t what, WakeReason reason) {
    told_.fetch_or(what, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (claim_from(kWaiting, reason) || (what == kKill && claim_from(kWaitingDeaf, reason))) {
        make_ready(*this);
    }
}

void Waiter::interrupt() { tell(kInterrupt, WakeReason::kSignal); }
void Waiter::kill() { tell(kKill, WakeReason::kSignal); }
void Waiter::cancel() { tell(kCancel, WakeReason::kCancel); }

// An interrupt waits for a call that would block, which one whose deadline has passed does not.
bool Waiter::claim_if_overdue() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const uint32_t heeded = told_.load(std::memory_order_relaxed) & heeds_;
    if (heeded == kCancel) return claim(WakeReason::kCancel);
    if ((heeded & ~kInterrupt) != 0) return claim(WakeReason::kSignal);
    const Instant deadline = sleeps_until();
    if (!deadline.is_never() && arch::now() >= deadline) return claim(WakeReason::kTimeout);
    return heeded != 0 && claim(WakeReason::kSignal);
}

void WakeBatch::flush() {
    Waiter* waiter = first_;
    first_ = nullptr;
    end_ = &first_;
    while (waiter != nullptr) {
        Waiter* next = waiter->next_in_batch_;  // read before the waiter may run
        make_ready(*waiter);
        waiter = next;
    }
}

Waiter* WakeBatch::flush_but_next() {
    Waiter* only = first_;
    if (only == nullptr || only->next_in_batch_ != nullptr || !may_run_next(*only)) {
        flush();
        return nullptr;
    }
    first_ = nullptr;
    end_ = &first_;
    return only;
}

WakeReason WaitSource::block(LockGuard& guard, uint64_t seen_sequence, Instant deadline,
                             Offer* offer, WakeBatch* wakes) {
    if (sequence_ != seen_sequence) {
        trace<TraceEvent::skip>(static_cast<uint64_t>(owner()), sequence_, seen_sequence);
        guard.unlock();
        if (wakes != nullptr) wakes->flush();
        count(Counter::wait_skipped);
        return WakeReason::kMoved;
    }
    Waiter& self = current_waiter();
    self.offer_ = offer;
    self.deadline_.store(deadline, std::memory_order_relaxed);
    self.source_ = this;
    self.sleeps_on_.store(owner(), std::memory_order_relaxed);
    self.awaits_.store(offer == nullptr ? 0 : offer->awaits, std::memory_order_relaxed);
    trace<TraceEvent::block>(static_cast<uint64_t>(owner()), seen_sequence, deadline.nanoseconds);
    self.state_.store(self.asleep_, std::memory_order_relaxed);
    waiters_.push_back(self);
    guard.unlock();
    Waiter* next = wakes == nullptr ? nullptr : wakes->flush_but_next();
    count(Counter::wait_blocks);

    const bool timed = !deadline.is_never();
    if (timed) DeadlineQueue::arm(self.timeout_, deadline);
    // Whoever else claims it also makes it ready, so there is a wake to wait for.
    const bool overdue = self.claim_if_overdue();
    if (next == nullptr) {
        if (!overdue) park(self);
    } else if (overdue) {
        make_ready(*next);
    } else {
        count(Counter::wait_direct_switches);
        park_for(self, *next);
    }
    if (timed) DeadlineQueue::disarm(self.timeout_);

    const auto reason = static_cast<WakeReason>(self.state_.load(std::memory_order_acquire));
    count_wake(reason);
    trace<TraceEvent::wake>(static_cast<uint64_t>(self.sleeps_on()), static_cast<uint64_t>(reason));
    self.state_.store(Waiter::kRunning, std::memory_order_relaxed);
    if (reason >= WakeReason::kSignal) {  // not by this source, which unlinks those it wakes
        guard.lock();
        if (self.node_.linked()) waiters_.remove(self);
        guard.unlock();
    }
    self.offer_ = nullptr;  // not before: wakers look at the offers of all who are in the list
    return reason;
}

bool WaitSource::take(Waiter& waiter, WakeReason reason) {
    if (!waiter.node_.linked()) return false;
    waiters_.remove(waiter);
    ++sequence_;
    return waiter.claim(reason);
}

void WaitSource::put_back(Waiter& waiter, WakeBatch& batch) {
    waiters_.push_front(waiter);
    waiter.state_.store(waiter.asleep_, std::memory_order_release);
    if (waiter.claim_if_overdue()) batch.add(waiter);
}

void WaitSource::tell_first_watchers(WakeBatch& batch) {
    for (int told = 0; told < kToldPerWake; ++told) {
        Watcher* watcher = watchers_.pop_front();
        if (watcher == nullptr) return;
        watcher->notify(batch);
    }
}

void WaitSource::wake_one(WakeReason reason, WakeBatch& batch) {
    ++sequence_;
    notify_watchers(batch);
    while (Waiter* waiter = waiters_.pop_front()) {
        if (!waiter->claim(reason)) continue;
        batch.add(*waiter);
        return;
    }
}

Waiter* WaitSource::claim_next(Waiters& waiters, WakeReason reason) {
    while (Waiter* waiter = waiters.pop_front()) {
        if (waiter->claim(reason)) return waiter;
    }
    return nullptr;
}

// The guard is held. Leaves `waiters` empty.
void WaitSource::claim_some(Waiters& waiters, WakeReason reason, WakeBatch& batch,
                            SpinLock& guard) {
    for (int i = 0; i < kWokenPerHold; ++i) {
        Waiter* waiter = claim_next(waiters, reason);
        if (waiter == nullptr) return;
        batch.add(*waiter);
    }
    Waiter* keeper = claim_next(waiters, reason);
    if (keeper == nullptr) return;
    keeper->rest_.splice_back(waiters);
    keeper->guard_of_rest_ = &guard;
    keeper->next_in_batch_ = std::exchange(unfinished.local(), keeper);
    this_hart().block.attention |= attention::kWakes;
}

bool WaitSource::wake_more() {
    Waiter* keeper = unfinished.local();
    if (keeper == nullptr) return false;
    unfinished.local() = keeper->next_in_batch_;
    WakeBatch wakes;
    {
        SpinLock& guard = *keeper->guard_of_rest_;
        LockGuard held(guard);
        const auto reason = static_cast<WakeReason>(keeper->state_.load(std::memory_order_relaxed));
        claim_some(keeper->rest_, reason, wakes, guard);
    }
    wakes.add(*keeper);
    if (unfinished.local() != nullptr) this_hart().block.attention |= attention::kWakes;
    return true;
}

Error error_of_sleep(WakeReason reason) {
    if (reason == WakeReason::kTimeout) return Error::TIMEDOUT;
    if (reason == WakeReason::kCancel) return Error::CANCELED;
    (void)current_waiter().take_interrupt();
    return Error::INTR;
}
