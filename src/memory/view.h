// View: what one map call shows of a memory object in an address space. It lives as long as any
// piece of it is mapped; unmap and protect cut pieces (Mapping), which all refer to their view.
//
//     handle <──child── View ──counts──> MemoryObject        the object lists its views, so that
//                         ^                    │             it can find all that shows its pages
//                         └──── views ─────────┘
//     AddressSpace ── MappingSet ── Mapping, Mapping ... ──count──> View
//
// In the delegation tree a view is a child of the handle that it was made through, so it goes with
// the handle's descendants when the handle is revoked, and closing the handle hands it on to the
// handle's parent. Views that the kernel makes by itself are in no tree.
//
// Locking: where it lies is written when it is placed, under the address space's lock; the list it
// is in and its end are guarded by the memory object's lock.
#pragma once

#include "base/list.h"
#include "base/ref.h"
#include "memory/protection.h"
#include "object/cap.h"
#include "object/kept.h"

class AddressSpace;
class MemoryObject;

// The part of a memory object that is shown.
struct MemoryRange {
    uint64_t offset;
    uint64_t length;
};

class View final : public Derivation {
  public:
    // A view with one piece, which is in no address space yet. Both are charged to `budget`, that
    // of `space`. -EDQUOT, -ENOMEM, -EBUSY as MemoryObject::add_view. May be preempted.
    static Result<Ref<View>> create(Budget& budget, AddressSpace& space, MemoryObject& memory,
                                    MemoryRange range, Protection ceiling);

    MemoryObject& memory() const { return *memory_; }
    // Never to be exceeded: what the handle allowed that it was made with.
    Protection ceiling() const { return ceiling_; }
    VirtualAddress start() const { return start_; }
    VirtualAddress end() const { return start_ + range_.length; }
    uint64_t length() const { return range_.length; }
    const MemoryRange& range() const { return range_; }
    // Of an address inside it, in the object.
    uint64_t offset_of(VirtualAddress address) const { return range_.offset + (address - start_); }

    // Before its first piece is mapped; the address space's lock is held.
    void set_start(VirtualAddress start) { start_ = start; }
    // The handle was revoked since it was made: nothing may be mapped.
    using Cap::revoked;

    // Pieces count their view.
    void retain() { pieces_.fetch_add(1, std::memory_order_relaxed); }
    void release();

    void revoke() override;

  private:
    friend class MemoryObject;

    View(Budget& budget, AddressSpace& space, MemoryObject& memory, MemoryRange range,
         Protection ceiling);
    ~View() = default;
    void free_node() override;

    Budget& budget_;       // counted
    AddressSpace& space_;  // there as long as the view has not ended
    const Kept<MemoryObject> memory_;
    const MemoryRange range_;
    const Protection ceiling_;
    VirtualAddress start_{};  // 0: not placed yet
    std::atomic<uint32_t> pieces_{1};

    // Guarded by the memory object's lock.
    ListNode node_;
    uint32_t visits_ = 0;  // that stand on it: it stays in the list
    bool ended_ = false;
};
