// The delegation forest of an object's handles: creating, closing, revoking nodes. See cap.h for
// the picture.
#pragma once

#include "abi/info.h"
#include "object/cap.h"

// A walk over the nodes below `top`, or over the whole forest if that is null: parents before
// children. The node that it stands on is pinned, so it stays in the tree whatever happens around
// it; nodes that are linked meanwhile may be missed. To be walked to its end, or stopped.
class LineageWalk {
  public:
    constexpr LineageWalk() = default;
    // `object` is counted, and `top` is pinned, until the end of the walk.
    LineageWalk(Object& object, Cap* top) : object_(&object), top_(top), at_(top) {}

    // One step of bounded length; false at the end. No lineage lock is held.
    bool step();
    Cap* cap() const { return at_; }
    // Leaves out what is below the node.
    void skip_below() { climbing_ = true; }
    // Ends the walk where it is. No lineage lock is held.
    void stop();
    // Of living nodes from the top down to this one, itself not counted. Too high where one of them
    // has been closed since the walk came by.
    uint32_t depth() const { return depth_; }
    // Not on the way back up from below it.
    bool first_time_here() const { return !climbing_; }

  private:
    Object* object_ = nullptr;
    Cap* top_ = nullptr;
    Cap* at_ = nullptr;
    bool climbing_ = false;
    uint32_t depth_ = 0;
};

class Lineage {
  public:
    // A node that is not linked yet, charged to `budget`. -EDQUOT, -ENOMEM.
    static Result<Cap*> allocate(Budget& budget, OwnerClass owner);
    static void free(Cap& cap);

    // Makes `cap` a root of the object's forest and a handle to the object.
    static void link_root(Cap& cap, Object& object, Rights rights);
    // Makes `child` a duplicate of `parent`, whose table is locked by the caller. False if the
    // parent is revoked; then nothing has changed.
    [[nodiscard]] static bool link_child(Cap& parent, Cap& child, Rights rights);

    // Makes `node` a child of `parent` likewise.
    [[nodiscard]] static bool link_derivation(Cap& parent, Derivation& node);

    // Its holder lets go of the cap. No lock is held.
    static void close(Cap& cap);
    // The caller's table is locked: keeps `cap` from going away until unpin().
    static void pin(Cap& cap);
    // The same for a cap that may have been revoked already: null then, otherwise its object.
    [[nodiscard]] static Ref<Object> try_pin(Cap& cap);
    static void unpin(Cap& cap, Object& object);
    // Closes every handle derived from `top`, which is pinned, wherever it is: first all are
    // marked, then each is taken. May be preempted. No lock is held; `object` is counted.
    static void revoke_descendants(Cap& top, Object& object);
    // A cap that was in no table comes into one, whose lock is held, and is called `value` there.
    // False if it is revoked.
    [[nodiscard]] static bool enter_table(Cap& cap, CapTable& table, uint32_t value);
    // The rights of a handle shrink; its table is locked.
    static void limit(Cap& cap, Object& object, Rights rights);

    // The handle goes into the queue of `carrier`, whose lock is held, or has left it for somebody
    // who receives it or drops it.
    static void depart(Cap& cap, Object& carrier);
    static void arrive(Cap& cap);

    // A call of `waiter` is about to block through the cap, whose table is locked: revocation ends
    // it from now on. False if the cap is revoked already.
    [[nodiscard]] static bool begin_use(Cap& cap, Waiter& waiter);
    // The call is over; `object` is what it blocked on.
    static void end_use(Object& object, Waiter& waiter);

    // Of a pinned node. May be preempted. No lock is held; `object` is counted.
    static kairos_info_lineage describe(Cap& cap, Object& object);
    // Says where a pinned node is and what it hangs below. False for a ghost. Of a node that moves
    // at this moment, either place. May be preempted. No lock is held; `object` is counted.
    static bool describe_place(Cap& cap, Object& object, kairos_handle_entry& entry);
    // The processes in whose tables handles to `object` are, the first few of them; how many. For
    // reports, when every hart stands still: takes no lock.
    template <uint32_t kMost>
    static uint32_t holders(const Object& object, uint64_t (&processes)[kMost]) {
        return find_holders(object, processes, kMost);
    }

  private:
    friend class LineageWalk;

    static uint32_t find_holders(const Object& object, uint64_t* processes, uint32_t most);
    static void link(Cap& cap, Object& object, Cap* parent);
    static void unlink(Cap& cap, Object& object);
    static void replace_by_child(Cap& cap, Object& object);
    static void settle(Cap& cap, Object& object);
    static bool leave_carrier(Cap& cap, Object& object);
    template <typename Visit>
    static void for_each_below(Cap& top, Object& object, Visit visit);
    static bool is_ghost(const Cap& cap, Object& object);
    static uint64_t living_parent(Cap& cap, Object& object);
    static uint32_t place_of(const Cap& cap, const CapTable* table);
    static void mark(Cap& cap, Object& object);
    template <typename Visit>
    static void release_uses(Cap& cap, Object& object, Visit visit);
    static void take_away(Cap& cap, Object& object);
};

inline bool Lineage::enter_table(Cap& cap, CapTable& table, uint32_t value) {
    Object* object = cap.object();
    if (object == nullptr) return false;
    LockGuard guard(object->lineage_lock_);
    if (cap.revoked()) return false;
    cap.value_ = value;
    cap.table_.store(&table, std::memory_order_relaxed);
    return true;
}
