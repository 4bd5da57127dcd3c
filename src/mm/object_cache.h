// Object caches: memory for objects of one size, cut from slabs of one or a few page frames.
//
//     allocate ──> this hart's magazine ──empty: a batch──> slabs (the cache's lock) ──> frames
//     free     ──> this hart's magazine ──full: a batch───> slabs ──one is kept empty─> frames
//
// A magazine is a short list of free cells that its hart alone touches, so the usual case takes no
// lock. It never holds more than some 2 KiB (two cells, if they are larger), so what is kept aside
// stays small.
//
// Caches can be global objects: they are initialised at compile time. Debug builds fill what is
// freed with 0xa5, and panic when a cell is freed twice or was written to while it was free.
//
// A cache that ever had a slab is in a list of all, so that what they have handed out can be
// compared with what budgets were charged (object/budget_audit.h).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/list.h"
#include "base/types.h"
#include "sync/hart.h"
#include "sync/spin_lock.h"

namespace mm {

// Who pays for the objects of a cache: a budget, their size each, or nobody, because the kernel
// needs them for a moment.
enum class PaidBy : bool { kBudgets, kNobody };

// What a part of the memory management holds and has handed out. Exact while nobody allocates or
// frees.
struct HandedOut {
    uint64_t frames = 0;         // held, whether in use or not
    uint64_t charged_bytes = 0;  // of what is in use, that budgets pay for
};

// The part that does not depend on the type.
class SlabCache {
  public:
    struct Magazine;
    constexpr SlabCache(size_t size, size_t alignment, PaidBy paid_by, PerHart<Magazine>& magazines)
        : object_size_(size),
          paid_by_(paid_by),
          cell_size_(cell_size_for(size, alignment)),
          order_(order_for(cell_size_)),
          cells_per_slab_(cells_in(cell_size_, order_)),
          magazine_size_(std::clamp<size_t>(kMagazineBytes / cell_size_, 2, 16)),
          magazines_(magazines) {}

    // Null when no frame is left.
    void* allocate();
    void free(void* object);

    // Exact while nobody allocates or frees.
    uint64_t objects();  // allocated now
    uint64_t frames();   // held, whether in use or not
    // Of all caches together.
    static HandedOut handed_out();

  private:
    static constexpr size_t kMagazineBytes = 2048;
    static constexpr uint32_t kMaxSlabOrder = 3;

    // A cell that is free.
    struct Cell {
        Cell* next;
        uint64_t mark;  // debug builds: mark_of(the cell)
    };
    // At the beginning of each slab, which is aligned to its size.
    struct alignas(64) Slab {
        ListNode node;  // in partial_, unless full
        Cell* free = nullptr;
        uint32_t used = 0;  // cells that are out, in magazines too
        uint32_t cut = 0;   // cells that were ever out; those behind are untouched
    };
    using Slabs = List<Slab, &Slab::node>;

    static constexpr size_t cell_size_for(size_t size, size_t alignment) {
        return (std::max(size, sizeof(Cell)) + alignment - 1) / alignment * alignment;
    }
    static constexpr uint32_t cells_in(size_t cell_size, uint32_t order) {
        return static_cast<uint32_t>(((kPageSize << order) - sizeof(Slab)) / cell_size);
    }
    // The smallest slab of which an eighth at most is lost.
    static constexpr uint32_t order_for(size_t cell_size) {
        for (uint32_t order = 0; order < kMaxSlabOrder; ++order) {
            const size_t lost = (kPageSize << order) - cells_in(cell_size, order) * cell_size;
            if (lost <= (kPageSize << order) / 8) return order;
        }
        return kMaxSlabOrder;
    }

    bool refill(Magazine& magazine);
    void drain(Magazine& magazine);
    Slab* add_slab() REQUIRES(lock_);
    void enlist() REQUIRES(lock_);
    Cell* take(Slab& slab) REQUIRES(lock_);
    void put(Cell& cell, Slabs& emptied) REQUIRES(lock_);

    static char* cells_of(Slab& slab) { return reinterpret_cast<char*>(&slab + 1); }
    static uint64_t mark_of(const Cell& cell);
    void fill(Cell& cell) const;
    void check_untouched(Cell& cell) const;

    const size_t object_size_;  // what a budget is charged for one
    const PaidBy paid_by_;
    const size_t cell_size_;
    const uint32_t order_;
    const uint32_t cells_per_slab_;
    const uint32_t magazine_size_;
    PerHart<Magazine>& magazines_;
    SpinLock lock_{LockRank::kObjectCache};
    Slabs partial_ GUARDED_BY(lock_);             // slabs with a free cell
    uint32_t empty_slabs_ GUARDED_BY(lock_) = 0;  // of those
    uint64_t slabs_ GUARDED_BY(lock_) = 0;        // all
    uint64_t cells_out_ GUARDED_BY(lock_) = 0;    // in magazines or in use
    bool enlisted_ GUARDED_BY(lock_) = false;
    SlabCache* next_enlisted_ = nullptr;  // does not change once it is enlisted
};

struct SlabCache::Magazine {
    Cell* first = nullptr;
    std::atomic<uint32_t> count{0};  // written by its hart, read by others
};

// The cache of one type; there is one at most for each.
template <typename T, PaidBy kPaidBy = PaidBy::kBudgets>
class ObjectCache {
    static_assert(alignof(T) <= 64, "slabs align their cells to 64 bytes at most");

  public:
    constexpr ObjectCache() : slabs_(sizeof(T), alignof(T), kPaidBy, magazines_) {}

    // Memory for one T, or null.
    void* allocate() { return slabs_.allocate(); }
    // `object` has been destroyed.
    void free(void* object) { slabs_.free(object); }

    // Exact while nobody allocates or frees.
    uint64_t objects() { return slabs_.objects(); }
    uint64_t frames() { return slabs_.frames(); }

  private:
    // All zeros at first, unlike the rest: so they take no room in the kernel's image.
    static inline constinit PerHart<SlabCache::Magazine> magazines_{};
    SlabCache slabs_;
};

}  // namespace mm
