#include "sync/spin_lock.h"

#include "arch/hart.h"
#include "arch/time.h"

uint64_t SpinLock::patience_ns_ = 0;

// The clock is looked at now and then only: reading it may be slow.
void SpinLock::wait_until_free() {
    constexpr uint32_t kSpinsPerLook = 1u << 14;
    Instant first_look{};
    for (uint32_t spins = 1; held_.load(std::memory_order_relaxed) != 0; ++spins) {
        arch::relax();
        if (spins % kSpinsPerLook != 0 || patience_ns_ == 0) continue;
        const Instant now = arch::now();
        if (first_look.nanoseconds == 0) first_look = now;
        check(now.nanoseconds - first_look.nanoseconds < patience_ns_, "a lock is not given back");
    }
}
