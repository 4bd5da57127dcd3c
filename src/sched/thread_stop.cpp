// Stopping threads: suspension, and the time in which a stopped thread's registers lie open.
//
//     debugger                               thread
//     guard: one suspension more, told
//     poke ────────────────────────────────> on its way out: guard: stopped, watchers woken, sleeps
//     await_stop: guard: stopped; reads or
//       writes the user frame
//     guard: one suspension less, wakes ───> guard: sees none, not stopped any more; leaves
//
// The thread gives up being stopped under the same hold of the guard under which it sees that
// nothing keeps it, so who finds it stopped has it to himself for as long as he holds the guard.
#include "sched/blocking_use.h"
#include "sched/scheduler.h"
#include "sched/thread.h"

Status Thread::suspend() {
    {
        LockGuard held(guard());
        if (ended_) return Fail(Error::SRCH);
        if (suspensions_ == KTHREAD_MAX_SUSPENSIONS) return Fail(Error::AGAIN);
        ++suspensions_;
        waiter_.tell_to_stop();
    }
    Scheduler::poke(*this);
    return {};
}

Status Thread::resume() {
    WakeBatch wakes;
    LockGuard held(guard());
    if (suspensions_ == 0) return Fail(Error::INVAL);
    if (--suspensions_ != 0) return {};
    waiter_.tell_to_go_on();
    going_on_.wake_all(WakeReason::kData, wakes, guard());
    return {};
}

void Thread::begin_stop() {
    arch::put_fpu_away(context_);
    WakeBatch wakes;
    LockGuard held(guard());
    stopped_.store(true, std::memory_order_relaxed);
    stop_watchers_.wake_all(WakeReason::kData, wakes, guard());
}

void Thread::end_stop() {
    LockGuard held(guard());
    stopped_.store(false, std::memory_order_relaxed);
    // Told while it was leaving: it must not slip out before the interrupt that says so.
    if (waiter_.may_not_leave()) this_hart().block.attention |= attention::kThread;
}

void Thread::stay_while_suspended() {
    begin_stop();
    const Waiter::Deaf deaf(waiter_);
    while (true) {
        LockGuard held(guard());
        if (suspensions_ == 0 || waiter_.killed()) {
            stopped_.store(false, std::memory_order_relaxed);
            return;
        }
        going_on_.block(held, going_on_.sequence(), Instant::never());
    }
}

Status Thread::await_stop(LockGuard& held, Instant deadline, Through through) {
    BlockingUse use(*this, through);
    while (!stopped_.load(std::memory_order_relaxed)) {
        if (ended_) return Fail(Error::SRCH);
        TRY(use.begin());
        const WakeReason reason = stop_watchers_.block(held, stop_watchers_.sequence(), deadline);
        held.lock();
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
    }
    return {};
}
