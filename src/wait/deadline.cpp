#include "wait/deadline.h"

#include <algorithm>

#include "arch/time.h"

constinit PerHart<DeadlineQueue> DeadlineQueue::queues_;

namespace {
// So that one interrupt stays short; the rest comes with the next.
constexpr uint64_t kFiredPerInterrupt = 16;
// Each deadline that fires keeps the next interrupt away for as long, several times what it costs:
// however many pass, most of the time is left for others.
constexpr uint64_t kBreatherNanoseconds = 4'000;
}  // namespace

void DeadlineQueue::ask_for_interrupt(DeadlineQueue& queue) {
    const Deadline* first = queue.tree_.first();
    const Instant wanted =
        first == nullptr ? Instant::never() : std::max(first->when_, queue.not_before_);
    if (wanted == queue.asked_) return;
    queue.asked_ = wanted;
    arch::set_timer(wanted);
}

void DeadlineQueue::arm(Deadline& deadline, Instant when) {
    if (when.is_never()) return;
    DeadlineQueue& queue = queues_.local();
    LockGuard guard(queue.lock_);
    deadline.when_ = when;
    deadline.hart_ = this_hart().index;
    queue.tree_.insert(deadline);
    if (when < queue.asked_) ask_for_interrupt(queue);
}

bool DeadlineQueue::disarm(Deadline& deadline) {
    DeadlineQueue& queue = queues_.at(deadline.hart_);
    LockGuard guard(queue.lock_);
    if (!decltype(queue.tree_)::linked(deadline)) return false;
    queue.tree_.remove(deadline);
    return true;
}

void DeadlineQueue::fire_due() {
    DeadlineQueue& queue = queues_.local();
    LockGuard guard(queue.lock_);
    queue.asked_ = Instant::never();  // the timer has fired and asks for nothing now
    const Instant now = arch::now();
    uint64_t fired = 0;
    for (; fired < kFiredPerInterrupt; ++fired) {
        Deadline* first = queue.tree_.first();
        if (first == nullptr || first->when_ > now) break;
        queue.tree_.remove(*first);
        first->expire();
    }
    queue.not_before_ = {now.nanoseconds + fired * kBreatherNanoseconds};
    ask_for_interrupt(queue);
    if (queue.asked_.is_never()) arch::set_timer(Instant::never());
}
