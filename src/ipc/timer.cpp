#include "ipc/timer.h"

#include <algorithm>
#include <utility>

#include "arch/time.h"
#include "sync/hart.h"

namespace {
// Timers that fired on each hart and whose events are not raised yet; its own hart's only.
constinit PerHart<Timer*> due;

// A periodic timer interrupts no more often than this.
constexpr uint64_t kShortestGap = 50'000;
}  // namespace

// Under the deadline queue's lock, which does not go with the timer's guard: takes note only.
void Timer::Alarm::expire() {
    if (!timer_.in_due_list_.set_first()) return;
    if (!timer_.try_retain()) return;
    timer_.next_due_ = std::exchange(due.local(), &timer_);
}

void Timer::raise_due() {
    while (Timer* timer = due.local()) {
        due.local() = timer->next_due_;
        timer->in_due_list_.clear();
        timer->came_due();
        timer->release();
    }
}

void Timer::came_due() {
    WakeBatch wakes;
    LockGuard held(guard());
    DeadlineQueue::disarm(alarm_);  // it may have been set again since it fired
    const Instant now = arch::now();
    if (!armed_) return;
    if (next_ > now) {
        DeadlineQueue::arm(alarm_, next_);
        return;
    }
    expired_ = true;
    uint64_t events = 1;
    if (period_ == 0) {
        armed_ = false;
    } else {
        events += (now.nanoseconds - next_.nanoseconds) / period_;
        const uint64_t step = events * period_;
        next_ = step > UINT64_MAX - next_.nanoseconds ? Instant::never()
                                                      : Instant{next_.nanoseconds + step};
        armed_ = !next_.is_never();
        DeadlineQueue::arm(alarm_, std::max(next_, Instant{now.nanoseconds + kShortestGap}));
    }
    raise(KPORT_BIND_TIMER, WakeReason::kData, wakes,
          static_cast<uint32_t>(std::min<uint64_t>(events, UINT32_MAX)));
}

void Timer::set(Instant deadline, uint64_t period_ns) {
    LockGuard held(guard());
    DeadlineQueue::disarm(alarm_);
    expired_ = false;
    next_ = deadline;
    period_ = period_ns;
    armed_ = !deadline.is_never();
    if (armed_) DeadlineQueue::arm(alarm_, deadline);
}

bool Timer::on_unowned() {
    set(Instant::never(), 0);
    return Object::on_unowned();
}
