#include "ipc/futex.h"

#include <algorithm>

#include "arch/user_copy.h"
#include "memory/address_space.h"
#include "sched/thread.h"
#include "sync/preemption.h"
#include "wait/parking.h"

namespace {

// One of the places where sleepers are kept; a key always leads to the same one. Sleepers of
// several keys share it, and show theirs by their offer.
struct Bucket {
    SpinLock lock{LockRank::kFutex};
    WaitSource sleepers;
    uint64_t next_number = 0;  // guarded by the lock
};

struct Sleeper : Offer {
    explicit Sleeper(MemoryPlace at) : place(at) {}
    MemoryPlace place;
    uint64_t number = 0;  // rises from the first in line to the last
};

// Sleepers woken under one hold of the lock.
constexpr uint32_t kWokenPerHold = 16;

constexpr uint32_t kBuckets = 64;
constinit Bucket buckets[kBuckets];

Bucket& bucket_of(const MemoryPlace& place) {
    const uint64_t mixed =
        (reinterpret_cast<uint64_t>(place.memory.get()) >> 6) * 0x9e3779b97f4a7c15 +
        (place.offset >> 2) * 0xc2b2ae3d27d4eb4f;
    return buckets[mixed >> 58];
}

// The lock is held. Takes sleepers on `place` with numbers below `end` until `woken` is `most`, or
// there are no more; how many it is then.
uint32_t wake_some(Bucket& bucket, const MemoryPlace& place, uint64_t end, uint32_t woken,
                   uint32_t most, WakeBatch& wakes) {
    for (Waiter* waiter = bucket.sleepers.first_waiter(); waiter != nullptr && woken < most;) {
        Waiter* next = bucket.sleepers.waiter_after(*waiter);
        const auto& sleeper = *static_cast<const Sleeper*>(waiter->offer());
        if (sleeper.number >= end) break;
        if (sleeper.place == place && bucket.sleepers.take(*waiter, WakeReason::kData)) {
            wakes.add(*waiter);
            ++woken;
        }
        waiter = next;
    }
    return woken;
}

}  // namespace

Status Futex::wait(VirtualAddress address, uint32_t expected, Instant deadline) {
    Sleeper self(TRY(current_thread().space().locate(address)));
    Bucket& bucket = bucket_of(self.place);
    while (true) {
        LockGuard held(bucket.lock);
        uint32_t value = 0;
        if (!arch::load_user_word(&value, address)) return Fail(Error::FAULT);
        if (value != expected) return Fail(Error::AGAIN);
        self.number = bucket.next_number++;
        const WakeReason reason =
            bucket.sleepers.block(held, bucket.sleepers.sequence(), deadline, &self);
        if (reason == WakeReason::kData) return {};
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
    }
}

// Who goes to sleep after the call has begun is not woken by it, so that it ends.
Result<uint32_t> Futex::wake(VirtualAddress address, uint32_t count) {
    const MemoryPlace place = TRY(current_thread().space().locate(address));
    Bucket& bucket = bucket_of(place);
    uint64_t end = UINT64_MAX;
    for (uint32_t woken = 0;; preemption_point()) {
        WakeBatch wakes;
        LockGuard held(bucket.lock);
        end = std::min(end, bucket.next_number);
        const uint32_t most = std::min<uint64_t>(count, uint64_t{woken} + kWokenPerHold);
        woken = wake_some(bucket, place, end, woken, most, wakes);
        if (woken < most || woken == count) return woken;
    }
}
