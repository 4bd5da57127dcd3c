#include "object/lineage.h"

#include <new>
#include <utility>

#include "arch/atomic.h"
#include "mm/object_cache.h"
#include "object/budget.h"
#include "object/collection.h"
#include "object/transit.h"
#include "sync/preemption.h"
#include "trace/counters.h"
#include "trace/records.h"

namespace {

template <TraceEvent kEvent>
void trace_cap(const Cap& cap, const Object& object, uint64_t last = 0) {
    trace<kEvent>(static_cast<uint64_t>(object.id()), cap.id(), cap.rights().bits(), last);
}

constinit mm::ObjectCache<Cap> cap_cache;
std::atomic<uint64_t> next_cap_id{1};

// Steps of a walk before it lets somebody more important run.
constexpr int kStepsPerTurn = 16;
// Blocked calls that are told under one hold of the lock.
constexpr int kUsesPerHold = 16;
}  // namespace

OwnedCap::~OwnedCap() {
    if (cap_ != nullptr) Lineage::close(*cap_);
}

Result<OwnedCap> OwnedCap::create_root(Object& object, Rights rights, Budget& budget,
                                       OwnerClass owner) {
    Cap* cap = TRY(Lineage::allocate(budget, owner));
    Lineage::link_root(*cap, object, rights);
    return OwnedCap(*cap);
}

Result<Cap*> Lineage::allocate(Budget& budget, OwnerClass owner) {
    TRY(budget.take(sizeof(Cap)));
    void* cell = cap_cache.allocate();
    if (cell == nullptr) {
        budget.put(sizeof(Cap));
        return Fail(Error::NOMEM);
    }
    Cap& cap = *new (cell) Cap;
    budget.retain();
    cap.budget_ = &budget;
    cap.owner_ = owner;
    cap.id_ = next_cap_id.fetch_add(1, std::memory_order_relaxed);
    return &cap;
}

void Lineage::free(Cap& cap) {
    if (cap.is_derivation_) {
        static_cast<Derivation&>(cap).free_node();
        return;
    }
    Budget& budget = *cap.budget_;
    cap.~Cap();
    cap_cache.free(&cap);
    budget.put(sizeof(Cap));
    budget.release();
}

// ---- Links: the lineage lock is held -----------------------------------------------------------

void Lineage::link(Cap& cap, Object& object, Cap* parent) {
    Cap*& first = parent == nullptr ? object.first_root_ : parent->first_child_;
    cap.parent_ = parent;
    cap.next_sibling_ = first;
    if (first != nullptr) first->previous_sibling_ = &cap;
    first = &cap;
    cap.linked_ = true;
    cap.tree_.store(&object, std::memory_order_release);
}

void Lineage::unlink(Cap& cap, Object& object) {
    Cap*& first = cap.parent_ == nullptr ? object.first_root_ : cap.parent_->first_child_;
    (cap.previous_sibling_ == nullptr ? first : cap.previous_sibling_->next_sibling_) =
        cap.next_sibling_;
    if (cap.next_sibling_ != nullptr) cap.next_sibling_->previous_sibling_ = cap.previous_sibling_;
    cap.parent_ = cap.next_sibling_ = cap.previous_sibling_ = nullptr;
    cap.linked_ = false;
}

// Puts the only child of `cap` where `cap` is, so that a walk still comes by it in order.
void Lineage::replace_by_child(Cap& cap, Object& object) {
    Cap& child = *cap.first_child_;
    Cap*& first = cap.parent_ == nullptr ? object.first_root_ : cap.parent_->first_child_;
    child.parent_ = cap.parent_;
    child.previous_sibling_ = cap.previous_sibling_;
    child.next_sibling_ = cap.next_sibling_;
    (cap.previous_sibling_ == nullptr ? first : cap.previous_sibling_->next_sibling_) = &child;
    if (cap.next_sibling_ != nullptr) cap.next_sibling_->previous_sibling_ = &child;
    cap.first_child_ = nullptr;
    cap.parent_ = cap.next_sibling_ = cap.previous_sibling_ = nullptr;
    cap.linked_ = false;
}

// Takes a ghost out of the tree once it has fewer than two children and no walk stands on it, and
// likewise the ghosts above that this leaves with one child. Frees what nobody holds.
void Lineage::settle(Cap& cap, Object& object) {
    for (Cap* node = &cap; node != nullptr && node->ghost_ && node->pins_ == 0;) {
        Cap* child = node->first_child_;
        if (child != nullptr && child->next_sibling_ != nullptr) return;
        Cap* above = node->parent_;
        child == nullptr ? unlink(*node, object) : replace_by_child(*node, object);
        if (node->held_) {
            node->tree_.store(nullptr, std::memory_order_release);  // the holder frees it
        } else {
            free(*node);
        }
        node = above;
    }
}

// ---- Operations ---------------------------------------------------------------------------------

void Lineage::link_root(Cap& cap, Object& object, Rights rights) {
    object.add_owner(cap.owner_);
    cap.rights_ = rights;
    LockGuard guard(object.lineage_lock_);
    cap.object_.store(&object, std::memory_order_release);
    link(cap, object, nullptr);
    trace_cap<TraceEvent::cap_create>(cap, object);
    ++object.owners_in_tree_;
    if (Transit* transit = object.transit()) ++transit->arrivals_;
}

bool Lineage::link_child(Cap& parent, Cap& child, Rights rights) {
    Object* object = parent.object();
    if (object == nullptr) return false;
    LockGuard guard(object->lineage_lock_);
    if (parent.revoked()) return false;
    object->add_owner(child.owner_);
    child.rights_ = rights;
    child.object_.store(object, std::memory_order_release);
    link(child, *object, &parent);
    trace_cap<TraceEvent::cap_duplicate>(child, *object, parent.id_);
    ++object->owners_in_tree_;
    return true;
}

bool Lineage::link_derivation(Cap& parent, Derivation& node) {
    Object* object = parent.object();
    if (object == nullptr) return false;
    LockGuard guard(object->lineage_lock_);
    if (parent.revoked()) return false;
    link(node, *object, &parent);
    return true;
}

void Lineage::limit(Cap& cap, Object& object, Rights rights) {
    LockGuard guard(object.lineage_lock_);
    cap.rights_ = rights;
}

// ---- In queues ----------------------------------------------------------------------------------

// The lineage lock is held. As long as a cap names its carrier, the carrier still has it queued.
bool Lineage::leave_carrier(Cap& cap, Object& object) {
    Object* carrier = std::exchange(cap.carrier_, nullptr);
    if (carrier == nullptr) return false;
    carrier->transit()->load_.fetch_sub(1, std::memory_order_seq_cst);
    object.transit()->in_flight_.fetch_sub(1, std::memory_order_seq_cst);
    return true;
}

void Lineage::depart(Cap& cap, Object& carrier) {
    arch::store_relaxed(cap.lies_in_, static_cast<uint64_t>(carrier.id()));
    Object* object = cap.object();
    if (object == nullptr) return;
    Transit* transit = object->transit();
    if (transit == nullptr) return;
    {
        LockGuard guard(object->lineage_lock_);
        if (cap.revoked()) return;  // about to be taken away
        cap.carrier_ = &carrier;
        carrier.transit()->load_.fetch_add(1, std::memory_order_seq_cst);
        transit->in_flight_.fetch_add(1, std::memory_order_seq_cst);
    }
    if (!carrier.held()) Collection::consider(*object, *transit);
}

void Lineage::arrive(Cap& cap) {
    arch::store_relaxed(cap.lies_in_, 0);
    Object* object = cap.object();
    if (object == nullptr || object->transit() == nullptr) return;
    LockGuard guard(object->lineage_lock_);
    if (leave_carrier(cap, *object)) ++object->transit()->arrivals_;
}

// ---- Uses and revocation ------------------------------------------------------------------------

bool Lineage::begin_use(Cap& cap, Waiter& waiter) {
    Object* object = cap.object();
    if (object == nullptr) return false;
    LockGuard guard(object->lineage_lock_);
    if (cap.revoked()) return false;
    cap.uses_.push_back(waiter);
    return true;
}

void Lineage::end_use(Object& object, Waiter& waiter) {
    LockGuard guard(object.lineage_lock_);
    if (waiter.use_node.linked()) List<Waiter, &Waiter::use_node>::remove(waiter);
    waiter.forget_cancel();
}

// Takes the calls that block through a cap off its list, a few under each hold of the lock; none is
// added any more.
template <typename Visit>
void Lineage::release_uses(Cap& cap, Object& object, Visit visit) {
    while (true) {
        LockGuard guard(object.lineage_lock_);
        for (int i = 0; i < kUsesPerHold; ++i) {
            Waiter* waiter = cap.uses_.pop_front();
            if (waiter == nullptr) return;
            visit(*waiter);
        }
    }
}

void Lineage::close(Cap& cap) {
    if (cap.traveller_of() != 0) cap.note_transfer(TransferEvent::kDrop);
    if (Object* object = cap.object_.exchange(nullptr, std::memory_order_acq_rel)) {
        trace_cap<TraceEvent::cap_close>(cap, *object);
        const OwnerClass owner = cap.owner_;         // the cap may be gone once its node is settled
        release_uses(cap, *object, [](Waiter&) {});  // they go on, whatever becomes of the handle
        bool linked;
        {
            LockGuard guard(object->lineage_lock_);
            leave_carrier(cap, *object);
            cap.held_ = false;
            cap.ghost_ = true;
            --object->owners_in_tree_;
            // A revoker that came by in between has made a ghost of it, and has settled that.
            linked = cap.linked_;
            if (linked) settle(cap, *object);
        }
        if (!linked) free(cap);
        object->drop_owner(owner);
        return;
    }
    // Revoked, or no handle. If a revoker still stands on the node, or children hang below it, the
    // tree frees it.
    if (Object* tree = cap.tree_.load(std::memory_order_acquire)) {
        LockGuard guard(tree->lineage_lock_);
        if (cap.linked_) {
            leave_carrier(cap, *tree);
            cap.held_ = false;
            if (cap.is_derivation_) cap.ghost_ = true;
            settle(cap, *tree);
            return;
        }
    }
    free(cap);
}

void Lineage::pin(Cap& cap) {
    LockGuard guard(cap.object()->lineage_lock_);
    ++cap.pins_;
}

Ref<Object> Lineage::try_pin(Cap& cap) {
    Object* object = cap.object();
    if (object == nullptr || !object->try_retain()) return nullptr;
    Ref<Object> counted(*object, kAdoptReference);
    LockGuard guard(object->lineage_lock_);
    if (cap.ghost_) return nullptr;
    ++cap.pins_;
    return counted;
}

void Lineage::unpin(Cap& cap, Object& object) {
    LockGuard guard(object.lineage_lock_);
    --cap.pins_;
    settle(cap, object);
}

bool LineageWalk::step() {
    LockGuard guard(object_->lineage_lock_);
    Cap* const from = at_;
    Cap* const below = from == nullptr ? object_->first_root_ : from->first_child_;
    if (!climbing_ && below != nullptr) {
        if (from != nullptr && !from->ghost_) ++depth_;
        at_ = below;
    } else if (from != top_) {
        climbing_ = from->next_sibling_ == nullptr;
        at_ = climbing_ ? from->parent_ : from->next_sibling_;
        if (climbing_ && at_ != nullptr && !at_->ghost_) --depth_;
    }
    if (at_ != top_) ++at_->pins_;
    if (from != top_) {
        --from->pins_;
        Lineage::settle(*from, *object_);
    }
    return at_ != top_;
}

void LineageWalk::stop() {
    if (at_ != top_) Lineage::unpin(*at_, *object_);
    at_ = top_;
}

template <typename Visit>
void Lineage::for_each_below(Cap& top, Object& object, Visit visit) {
    LineageWalk walk(object, &top);
    for (int steps = 1; walk.step(); ++steps) {
        if (walk.first_time_here()) visit(*walk.cap());
        if (steps % kStepsPerTurn == 0) preemption_point();
    }
}

void Lineage::mark(Cap& cap, Object& object) {
    LockGuard guard(object.lineage_lock_);
    cap.revoked_.store(true, std::memory_order_release);
}

// A marked cap enters no table any more, so it is in the table it names, or in none.
void Lineage::take_away(Cap& cap, Object& object) {
    if (cap.is_derivation_) {
        static_cast<Derivation&>(cap).revoke();
        return;
    }
    CapTable* table = cap.table_.load(std::memory_order_acquire);
    const OwnerClass owner = cap.owner_;
    const bool was_in_table = table != nullptr && table->forget(cap);
    Object* taken = cap.object_.exchange(nullptr, std::memory_order_acq_rel);
    release_uses(cap, object, [](Waiter& waiter) { waiter.cancel(); });
    {
        LockGuard guard(object.lineage_lock_);
        leave_carrier(cap, object);
        cap.ghost_ = true;
        if (taken != nullptr) --object.owners_in_tree_;
        if (was_in_table) cap.held_ = false;
    }
    if (taken != nullptr && cap.traveller_of() != 0) {
        taken->note_transfer(TransferEvent::kDrop, cap.traveller_of(), 0, right::kNone);
    }
    if (taken != nullptr) trace_cap<TraceEvent::cap_revoke>(cap, object);
    if (taken != nullptr) count(Counter::cap_revoked);
    if (taken != nullptr) taken->drop_owner(owner);
}

void Lineage::revoke_descendants(Cap& top, Object& object) {
    for_each_below(top, object, [&](Cap& cap) { mark(cap, object); });
    // What was derived from `top` since is not marked, and not concerned.
    for_each_below(top, object, [&](Cap& cap) {
        if (cap.revoked()) take_away(cap, object);
    });
}
