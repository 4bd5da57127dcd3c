#include "mm/object_cache.h"

#include <cstring>
#include <new>

#include "arch/paging.h"
#include "mm/frames.h"

namespace mm {

namespace {
constexpr uint8_t kPoison = 0xa5;

constinit std::atomic<SlabCache*> all_caches{nullptr};
}  // namespace

// ---- The hart's magazine ------------------------------------------------------------------------

void* SlabCache::allocate() {
    Magazine& magazine = magazines_.local();
    if (magazine.first == nullptr && !refill(magazine)) return nullptr;
    Cell* cell = magazine.first;
    magazine.first = cell->next;
    magazine.count.store(magazine.count.load(std::memory_order_relaxed) - 1,
                         std::memory_order_relaxed);
    if constexpr (kDebugBuild) check_untouched(*cell);
    return cell;
}

void SlabCache::free(void* object) {
    Cell* cell = static_cast<Cell*>(object);
    if constexpr (kDebugBuild) {
        check(cell->mark != mark_of(*cell), "freed an object that is free");
        fill(*cell);
    }
    Magazine& magazine = magazines_.local();
    cell->next = magazine.first;
    magazine.first = cell;
    const uint32_t count = magazine.count.load(std::memory_order_relaxed) + 1;
    magazine.count.store(count, std::memory_order_relaxed);
    if (count > magazine_size_) drain(magazine);
}

// Half a magazine, or what can be had of it without a new slab. False: not even one cell.
bool SlabCache::refill(Magazine& magazine) {
    LockGuard guard(lock_);
    uint32_t count = 0;
    while (count < magazine_size_ / 2) {
        Slab* slab = partial_.front();
        if (slab == nullptr && count == 0) slab = add_slab();
        if (slab == nullptr) break;
        Cell* cell = take(*slab);
        cell->next = magazine.first;
        magazine.first = cell;
        ++count;
    }
    magazine.count.store(count, std::memory_order_relaxed);
    return count != 0;
}

// Gives back half of a full magazine. What becomes empty is freed outside the lock.
void SlabCache::drain(Magazine& magazine) {
    Slabs emptied;
    {
        LockGuard guard(lock_);
        uint32_t count = magazine.count.load(std::memory_order_relaxed);
        for (; count > magazine_size_ / 2; --count) {
            Cell* cell = magazine.first;
            magazine.first = cell->next;
            put(*cell, emptied);
        }
        magazine.count.store(count, std::memory_order_relaxed);
    }
    while (Slab* slab = emptied.pop_front()) {
        const PhysicalAddress block = arch::physical_address_of(slab);
        order_ == 0 ? free_frame(block) : free_block(block, order_);
    }
}

// ---- Slabs: the lock is held --------------------------------------------------------------------

SlabCache::Slab* SlabCache::add_slab() {
    auto block = order_ == 0 ? allocate_frame() : allocate_block(order_);
    if (!block) return nullptr;
    enlist();
    Slab* slab = new (arch::physical_pointer(*block)) Slab;
    partial_.push_front(*slab);
    ++empty_slabs_;
    ++slabs_;
    return slab;
}

void SlabCache::enlist() {
    if (enlisted_) return;
    enlisted_ = true;
    next_enlisted_ = all_caches.load(std::memory_order_relaxed);
    while (!all_caches.compare_exchange_weak(next_enlisted_, this, std::memory_order_release,
                                             std::memory_order_relaxed)) {}
}

// A free cell of a slab that has one.
SlabCache::Cell* SlabCache::take(Slab& slab) {
    if (slab.used++ == 0) --empty_slabs_;
    if (slab.used == cells_per_slab_) partial_.remove(slab);
    ++cells_out_;
    if (Cell* cell = slab.free) {
        slab.free = cell->next;
        return cell;
    }
    auto* cell = reinterpret_cast<Cell*>(cells_of(slab) + cell_size_ * slab.cut++);
    if constexpr (kDebugBuild) fill(*cell);  // as if it had been freed
    return cell;
}

void SlabCache::put(Cell& cell, Slabs& emptied) {
    const uint64_t slab_mask = ~((kPageSize << order_) - 1);
    auto& slab = *reinterpret_cast<Slab*>(reinterpret_cast<uint64_t>(&cell) & slab_mask);
    debug_check(slab.used != 0, "freed an object of an empty slab");
    debug_check((reinterpret_cast<char*>(&cell) - cells_of(slab)) % cell_size_ == 0,
                "freed what is no object of this cache");
    if (slab.used == cells_per_slab_) partial_.push_front(slab);
    cell.next = slab.free;
    slab.free = &cell;
    --cells_out_;
    if (--slab.used != 0) return;
    if (++empty_slabs_ == 1) return;  // one is kept for the next object
    --empty_slabs_;
    --slabs_;
    partial_.remove(slab);
    emptied.push_back(slab);
}

// ---- Counts -------------------------------------------------------------------------------------

uint64_t SlabCache::objects() {
    LockGuard guard(lock_);
    uint64_t count = cells_out_;
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        count -= magazines_.at({i}).count.load(std::memory_order_relaxed);
    }
    return count;
}

uint64_t SlabCache::frames() {
    LockGuard guard(lock_);
    return slabs_ << order_;
}

HandedOut SlabCache::handed_out() {
    HandedOut sum;
    SlabCache* cache = all_caches.load(std::memory_order_acquire);
    for (; cache != nullptr; cache = cache->next_enlisted_) {
        sum.frames += cache->frames();
        if (cache->paid_by_ == PaidBy::kBudgets) {
            sum.charged_bytes += cache->objects() * cache->object_size_;
        }
    }
    return sum;
}

// ---- Debug builds: what is free stays as it was filled
// --------------------------------------------

uint64_t SlabCache::mark_of(const Cell& cell) {
    constexpr uint64_t kFreeMark = 0xf4eece11f4eece11;
    return reinterpret_cast<uint64_t>(&cell) ^ kFreeMark;
}

void SlabCache::fill(Cell& cell) const {
    std::memset(static_cast<void*>(&cell), kPoison, cell_size_);
    cell.mark = mark_of(cell);
}

void SlabCache::check_untouched(Cell& cell) const {
    bool untouched = cell.mark == mark_of(cell);
    const auto* bytes = reinterpret_cast<const uint8_t*>(&cell);
    for (size_t i = sizeof(Cell); i < cell_size_; ++i) untouched &= bytes[i] == kPoison;
    check(untouched, "an object was written to after it was freed");
    cell.mark = 0;
}

}  // namespace mm
