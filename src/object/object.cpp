// References, owners, events: what every object does alike.
#include "object/object.h"

#include "base/container_of.h"
#include "object/collection.h"
#include "object/graveyard.h"
#include "object/transit.h"

namespace {
constexpr unsigned kOwnerBits = 21;
constexpr uint64_t kOwnerMask = (uint64_t{1} << kOwnerBits) - 1;

constexpr unsigned shift_of(OwnerClass owner) { return static_cast<unsigned>(owner) * kOwnerBits; }
constexpr uint64_t sum_of(uint64_t owners) {
    return (owners & kOwnerMask) + (owners >> kOwnerBits & kOwnerMask) + (owners >> 2 * kOwnerBits);
}
}  // namespace

Object& Object::of(Retired& retired) { return container_of(retired, &Object::retired_); }

bool Object::try_retain() {
    uint32_t count = references_.load(std::memory_order_relaxed);
    do {
        if (count == 0) return false;
    } while (!references_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed));
    return true;
}

void Object::release() {
    const uint32_t before = references_.fetch_sub(1, std::memory_order_acq_rel);
    check(before != 0, "reference count below zero");
    if (before == 1) {
        lifecycle_.store(Lifecycle::kDying, std::memory_order_relaxed);
        Graveyard::queue(*this);
    }
}

void Object::add_owner(OwnerClass owner) {
    retain();
    owners_.fetch_add(uint64_t{1} << shift_of(owner), std::memory_order_relaxed);
}

void Object::drop_owner(OwnerClass owner) {
    const uint64_t one = uint64_t{1} << shift_of(owner);
    const uint64_t before = owners_.fetch_sub(one, std::memory_order_seq_cst);
    check(((before >> shift_of(owner)) & kOwnerMask) != 0, "owner count below zero");
    if (before == one) {
        end_public_life();
    } else if (const Transit* moving = transit()) {
        Collection::consider(*this, *moving);
    }
    release();
}

bool Object::on_unowned() {
    WakeBatch wakes;
    LockGuard held(guard());
    close(wakes);
    return false;
}

void Object::end_public_life() {
    lifecycle_.store(Lifecycle::kDetached, std::memory_order_relaxed);
    {
        LockGuard held(guard());
        if (binding_.sink != nullptr) binding_.sink->detach(*this);
    }
    if (!on_unowned() || !winding_up_.set_first()) return;
    retain();
    Graveyard::queue(*this);
}

bool Object::held() const {
    const Transit* moving = transit();
    const uint64_t all = sum_of(owners_.load(std::memory_order_seq_cst));
    return all > (moving == nullptr ? 0 : moving->in_flight());
}

uint32_t Object::owners(OwnerClass owner) const {
    return (owners_.load(std::memory_order_relaxed) >> shift_of(owner)) & kOwnerMask;
}

void Object::raise(uint32_t signals, WakeReason reason, WakeBatch& batch, uint32_t events) {
    if (binding_.sink != nullptr && (binding_.signals & signals) != 0) {
        binding_.sink->deliver(*this, binding_.signals & signals, events, batch);
    }
    readiness_changed(reason, batch);
}

void Object::signal(uint32_t clear, uint32_t set) {
    WakeBatch batch;
    LockGuard held(guard());
    user_signals_ = (user_signals_ & ~clear) | set;
    if (set != 0) raise(set, WakeReason::kData, batch);
}
