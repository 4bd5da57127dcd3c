#include "arch/time.h"

#include "ipc/futex.h"
#include "ipc/timer.h"
#include "sched/thread.h"
#include "syscall/bodies.h"
#include "syscall/give.h"
#include "wait/parking.h"

namespace system_calls {

Result<int64_t> clock_now() { return static_cast<int64_t>(arch::now().nanoseconds); }

// A sleep on the thread's own base wait source, which nothing wakes before its end.
Status sleep_until(Instant deadline) {
    Thread& self = current_thread();
    while (deadline.is_never() || arch::now() < deadline) {
        LockGuard held(self.guard());
        WaitSource& source = self.base_wait();
        const WakeReason reason = source.block(held, source.sequence(), deadline);
        if (reason == WakeReason::kTimeout) return {};
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
    }
    return {};
}

Status timer_create(UserHandle out) {
    TRY(out.check_range());
    Ref<Timer> timer = TRY(Timer::create(current_thread().budget()));
    return give_object(*timer, out);
}

Status timer_set(HandleValue handle, Instant deadline, uint64_t period_ns) {
    Timer* timer = TRY(current_thread().handles().resolve<Timer>(handle, right::kManage));
    timer->set(deadline, period_ns);
    return {};
}

Status futex_wait(UserPointer<uint32_t> address, uint32_t expected, Instant deadline) {
    if (address.address.value % sizeof(uint32_t) != 0) return Fail(Error::INVAL);
    TRY(address.check_range());
    return Futex::wait(address.address, expected, deadline);
}

Result<int64_t> futex_wake(UserPointer<uint32_t> address, uint32_t count) {
    if (address.address.value % sizeof(uint32_t) != 0) return Fail(Error::INVAL);
    TRY(address.check_range());
    return TRY(Futex::wake(address.address, count));
}

}  // namespace system_calls
