// Readiness, by the lock or by the hint (see object.h).
#include "object/object.h"
#include "trace/counters.h"
#include "trace/log.h"

uint32_t Object::checked_readiness() const {
    const uint32_t now = readiness();
    const uint32_t published = hint();
    if (published == now || published == kNoHint) return now;
    count(Counter::poll_hint_mismatches);
    if constexpr (kStrictPollHints) {
        print("readiness is %x, the hint %x\n", now, published);
        panic_about(*this, "a readiness hint is not what the lock shows");
    }
    return now;
}

uint32_t poll_readiness(Object& object) {
    if (object.guard().try_lock()) {
        const uint32_t ready = object.checked_readiness();
        object.guard().unlock();
        return ready;
    }
    const uint32_t published = object.hint();
    if (published != Object::kNoHint) {
        count(Counter::poll_hints_used);
        return published;
    }
    LockGuard held(object.guard());
    return object.checked_readiness();
}
