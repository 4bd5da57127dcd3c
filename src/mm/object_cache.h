// Object caches: memory for objects of one size, cut from slabs of one or a few page frames. A
// cache gives back slabs that become empty, but for one.
#pragma once

#include <cstddef>

#include "base/list.h"
#include "base/types.h"
#include "sync/spin_lock.h"

namespace mm {

// The part that does not depend on the type. Guarded by its own lock.
class SlabCache {
  public:
    constexpr SlabCache(size_t size, size_t alignment)
        : size_((size + alignment - 1) / alignment * alignment), order_(order_for(size_)) {}

    // Null when no frame is left.
    void* allocate();
    void free(void* object);

  private:
    struct Cell {
        Cell* next;
    };
    // At the beginning of each slab, which is aligned to its size.
    struct alignas(64) Slab {
        ListNode node;  // in partial_, unless full
        Cell* free = nullptr;
        uint32_t used = 0;
        uint32_t cut = 0;  // cells that have been used at least once
    };

    static constexpr uint32_t order_for(size_t size) {
        uint32_t order = 0;
        while ((kPageSize << order) < sizeof(Slab) + size) ++order;
        return order;
    }
    uint32_t capacity() const { return ((kPageSize << order_) - sizeof(Slab)) / size_; }
    Slab* add_slab() REQUIRES(lock_);
    void* take(Slab& slab) REQUIRES(lock_);

    const size_t size_;
    const uint32_t order_;
    SpinLock lock_{LockRank::kObjectCache};
    List<Slab, &Slab::node> partial_ GUARDED_BY(lock_);  // slabs with a free cell
    uint32_t empty_slabs_ GUARDED_BY(lock_) = 0;         // of those
};

template <typename T>
class ObjectCache {
  public:
    constexpr ObjectCache() : slabs_(sizeof(T), alignof(T)) {}

    // Memory for one T, or null.
    void* allocate() { return slabs_.allocate(); }
    // `object` has been destroyed.
    void free(void* object) { slabs_.free(object); }

  private:
    SlabCache slabs_;
};

}  // namespace mm
