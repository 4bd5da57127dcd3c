#include "mm/object_cache.h"

#include <new>

#include "arch/paging.h"
#include "mm/frames.h"

namespace mm {

SlabCache::Slab* SlabCache::add_slab() {
    auto block = order_ == 0 ? allocate_frame() : allocate_block(order_);
    if (!block) return nullptr;
    Slab* slab = new (arch::physical_pointer(*block)) Slab;
    partial_.push_front(*slab);
    ++empty_slabs_;
    return slab;
}

void* SlabCache::take(Slab& slab) {
    if (slab.used++ == 0) --empty_slabs_;
    if (Cell* cell = slab.free) {
        slab.free = cell->next;
        return cell;
    }
    return reinterpret_cast<char*>(&slab + 1) + size_ * slab.cut++;
}

void* SlabCache::allocate() {
    LockGuard guard(lock_);
    Slab* slab = partial_.front();
    if (slab == nullptr) slab = add_slab();
    if (slab == nullptr) return nullptr;
    void* object = take(*slab);
    if (slab->used == capacity()) partial_.remove(*slab);
    return object;
}

void SlabCache::free(void* object) {
    const uint64_t slab_mask = ~((kPageSize << order_) - 1);
    auto* slab = reinterpret_cast<Slab*>(reinterpret_cast<uint64_t>(object) & slab_mask);
    LockGuard guard(lock_);
    debug_check(slab->used != 0, "freed an object of an empty slab");
    if (slab->used == capacity()) partial_.push_front(*slab);
    auto* cell = static_cast<Cell*>(object);
    cell->next = slab->free;
    slab->free = cell;
    if (--slab->used != 0) return;
    if (++empty_slabs_ == 1) return;  // one is kept for the next object
    --empty_slabs_;
    partial_.remove(*slab);
    const PhysicalAddress block = arch::physical_address_of(slab);
    order_ == 0 ? free_frame(block) : free_block(block, order_);
}

}  // namespace mm
