// What the delegation tree tells those who look at it: where a node is, what it hangs below, who
// holds an object. Ghosts are never shown. Each look holds the lineage lock for a bounded stretch;
// where that is not enough, it stands on a pinned node in between.
#include "object/lineage.h"
#include "sync/preemption.h"

namespace {
// Steps of a walk before it lets somebody more important run.
constexpr int kStepsPerTurn = 16;
// Ghosts climbed past under one hold of the lock.
constexpr int kGhostsPerHold = 64;
// Handles looked at for a report.
constexpr int kHoldersLookedAt = 1000;
}  // namespace

kairos_info_lineage Lineage::describe(Cap& cap, Object& object) {
    kairos_info_lineage info{};
    {
        LockGuard guard(object.lineage_lock_);
        info.cap_id = cap.id_;
        info.revoked = cap.revoked();
    }
    info.parent_id = living_parent(cap, object);
    // The children of a ghost are children too; below those that live are grandchildren.
    LineageWalk walk(object, &cap);
    for (int steps = 1; walk.step(); ++steps) {
        if (walk.first_time_here() && !is_ghost(*walk.cap(), object)) {
            if (!walk.cap()->is_derivation_) ++info.children;
            walk.skip_below();
        }
        if (steps % kStepsPerTurn == 0) preemption_point();
    }
    return info;
}

// The id of the handle or descriptor that a pinned node hangs below, past ghosts; 0 for a root.
// Where that is far, it stands on a ghost in between, as a walk does.
uint64_t Lineage::living_parent(Cap& cap, Object& object) {
    for (Cap* from = &cap;;) {
        {
            LockGuard guard(object.lineage_lock_);
            Cap* at = from->parent_;
            for (int i = 0; i < kGhostsPerHold && at != nullptr && at->ghost_; ++i) {
                at = at->parent_;
            }
            const bool arrived = at == nullptr || !at->ghost_;
            const uint64_t id = at == nullptr ? 0 : at->id_;
            if (!arrived) ++at->pins_;
            if (from != &cap) {
                --from->pins_;
                settle(*from, object);
            }
            if (arrived) return id;
            from = at;
        }
        preemption_point();
    }
}

bool Lineage::describe_place(Cap& cap, Object& object, kairos_handle_entry& entry) {
    {
        LockGuard guard(object.lineage_lock_);
        if (cap.ghost_) return false;
        // The process is not freed before this hart has left the lock: see HandleTable.
        const CapTable* table = cap.table_.load(std::memory_order_acquire);
        entry.cap_id = cap.id_;
        entry.object_id = static_cast<uint64_t>(object.id());
        entry.process_id = table != nullptr ? table->process_id() : cap.traveller_of();
        entry.carrier_id = cap.lies_in_.load(std::memory_order_relaxed);
        entry.value = table != nullptr ? cap.value_ : 0;
        entry.rights = cap.rights_.bits();
        entry.type = static_cast<uint32_t>(object.type());
        entry.place = place_of(cap, table);
    }
    entry.parent_id = living_parent(cap, object);
    return true;
}

uint32_t Lineage::place_of(const Cap& cap, const CapTable* table) {
    if (cap.is_derivation_) return KAIROS_PLACE_MAPPING;
    if (table == nullptr) return KAIROS_PLACE_IN_FLIGHT;
    if (cap.owner_ == OwnerClass::kDescriptor) return KAIROS_PLACE_DESCRIPTOR;
    return cap.traveller_of() != 0 ? KAIROS_PLACE_RESERVED : KAIROS_PLACE_HANDLE;
}

bool Lineage::is_ghost(const Cap& cap, Object& object) {
    LockGuard guard(object.lineage_lock_);
    return cap.ghost_;
}

uint32_t Lineage::find_holders(const Object& object, uint64_t* processes, uint32_t most) {
    uint32_t count = 0;
    const Cap* at = object.first_root_;
    for (int steps = 0; at != nullptr && count < most && steps < kHoldersLookedAt; ++steps) {
        const CapTable* table = at->table_.load(std::memory_order_relaxed);
        if (table != nullptr) {
            const uint64_t process = table->process_id();
            bool known = false;
            for (uint32_t i = 0; i < count; ++i) known |= processes[i] == process;
            if (!known) processes[count++] = process;
        }
        if (at->first_child_ != nullptr) {
            at = at->first_child_;
            continue;
        }
        while (at != nullptr && at->next_sibling_ == nullptr) at = at->parent_;
        if (at != nullptr) at = at->next_sibling_;
    }
    return count;
}
