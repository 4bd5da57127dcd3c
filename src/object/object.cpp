// References, owners, events: what every object does alike.
#include "object/object.h"

#include "base/container_of.h"
#include "object/collection.h"
#include "object/graveyard.h"
#include "object/transit.h"
#include "trace/counters.h"
#include "trace/warn.h"

namespace {
constexpr unsigned shift_of(OwnerClass owner, unsigned bits) {
    return static_cast<unsigned>(owner) * bits;
}
}  // namespace

Object& Object::of(Retired& retired) { return container_of(retired, &Object::retired_); }

// The memory stays until this hart has left the kernel, so events may come after the fact.
void Object::lose_last_reference(uint32_t references_before) {
    if (references_before == 0) panic_about(*this, "reference count below zero");
    note(ReferenceEvent::kLastPut, 0);
    become(Lifecycle::kDying);
    Graveyard::queue(*this);
}

void Object::unkeep() {
    const uint32_t before = references_.fetch_sub(1, std::memory_order_acq_rel);
    if (before <= 1) return lose_last_reference(before);
    note(ReferenceEvent::kPut, before - 1);
}

// ---- Life ---------------------------------------------------------------------------------------

void Object::become(Lifecycle next) {
    const Lifecycle before = lifecycle();
    if (!lifecycle::legal(before, next)) [[unlikely]] {
        if constexpr (kDebugBuild) panic_about(*this, "a step that no object's life has");
        static constinit RateLimit limit;
        warn(limit, "object %lu went from %s to %s", static_cast<uint64_t>(id_),
             lifecycle::name(before), lifecycle::name(next));
    }
    lifecycle_.store(next, std::memory_order_release);
}

// A borrowed pointer outlives the last handle for a moment, which is no mistake; an object that has
// an owner and is not in use is one.
void Object::warn_unless_closed_meanwhile(const char* operation) const {
    if (!owned()) return;
    static constinit RateLimit limit;
    warn(limit, "%s on object %lu of type %u, which is %s", operation, static_cast<uint64_t>(id_),
         static_cast<uint32_t>(type_), lifecycle::name(lifecycle()));
}

void Object::note_transfer(TransferEvent event, uint64_t from_process, uint64_t to_process,
                           Rights rights) {
    if (history_ == nullptr) return;
    history_->record(event, from_process, to_process, rights, charged_budget_);
}

// ---- Owners -------------------------------------------------------------------------------------

void Object::add_owner(OwnerClass owner) {
    keep();
    owners_.fetch_add(uint64_t{1} << shift_of(owner, kOwnerBits), std::memory_order_relaxed);
}

void Object::drop_owner(OwnerClass owner) {
    const uint64_t one = uint64_t{1} << shift_of(owner, kOwnerBits);
    const uint64_t before = owners_.fetch_sub(one, std::memory_order_seq_cst);
    if (((before >> shift_of(owner, kOwnerBits)) & kOwnerMask) == 0) [[unlikely]] {
        owners_.fetch_add(one, std::memory_order_seq_cst);
        count(Counter::owner_mismatches);
        static constinit RateLimit limit;
        warn(limit, "object %lu of type %u has no owner of class %u to lose",
             static_cast<uint64_t>(id_), static_cast<uint32_t>(type_),
             static_cast<uint32_t>(owner));
        return;
    }
    if (before == one) {
        end_public_life();
    } else {
        if (owner == OwnerClass::kDescriptor) tell_pollers();
        if (const Transit* moving = transit()) Collection::consider(*this, *moving);
    }
    unkeep();
}

// A descriptor has gone, perhaps one that is polled.
void Object::tell_pollers() {
    WakeBatch wakes;
    LockGuard held(guard());
    base_wait_.notify_watchers(wakes);
}

bool Object::on_unowned() {
    WakeBatch wakes;
    LockGuard held(guard());
    close(wakes);
    return false;
}

void Object::end_public_life() {
    become(Lifecycle::kDetached);
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
    return (owners_.load(std::memory_order_relaxed) >> shift_of(owner, kOwnerBits)) & kOwnerMask;
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
