// Sleeping until an object is ready, for the calls that do nothing else. The object may lose all
// its handles meanwhile, the one that it was found through among them.
#pragma once

#include "object/object.h"
#include "sched/blocking_use.h"

namespace system_calls {

// Which of `events` hold, as soon as one does. The caller counts `object`, found by `through`.
// -ECANCELED, -ETIMEDOUT, -EINTR. BLOCKS.
inline Result<uint32_t> wait_for(Object& object, Through through, uint32_t events,
                                 Instant deadline) {
    BlockingUse use(object, through);
    while (true) {
        LockGuard held(object.guard());
        if (object.closed()) return Fail(Error::CANCELED);
        const uint32_t ready = object.checked_readiness() & events;
        if (ready != 0) return ready;
        TRY(use.begin());
        WaitSource& source = object.base_wait();
        Offer offer{.awaits = events};
        const WakeReason reason = source.block(held, source.sequence(), deadline, &offer);
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
    }
}

}  // namespace system_calls
