// Resizing memory objects. Growing is a new number; shrinking takes pages away from who sees them:
//
//     1 the size is smaller: nobody finds a page beyond it any more, or maps one
//     2 every view forgets the pages beyond it, flushed
//     3 every hart passes a quiescent point: who found such a page before 1 is done with it
//     4 pages and tables are freed, a bounded piece at a time
#include "arch/paging.h"
#include "memory/address_space.h"
#include "memory/memory_object.h"
#include "object/reclaim.h"
#include "sync/preemption.h"

namespace {
constexpr uint32_t kStepsPerPiece = 16;
}

// On success `old_size` is above `size` if there is something to cut off, which nobody else does
// before resizing_ is cleared.
Status MemoryObject::begin_resize(uint64_t size, uint64_t& old_size) {
    LockGuard guard(pages_lock_);
    if (resizing_) return Fail(Error::BUSY);
    old_size = this->size();
    if (size > old_size) TRY(pages_.extend(size / kPageSize, charge_));
    resizing_ = size < old_size;
    size_.store(size, std::memory_order_relaxed);
    return {};
}

void MemoryObject::cut_off(uint64_t size, uint64_t old_size) {
    const MemoryRange cut{size, old_size - size};
    for_each_view([&](View& view, AddressSpace& space) { space.forget_pages(view, cut); });
    Reclaim::wait();
    const uint64_t first = size / kPageSize;
    for (uint64_t cursor = first;; preemption_point()) {
        LockGuard guard(pages_lock_);
        if (pages_.free_some(first, cursor, kStepsPerPiece, charge_)) continue;
        resizing_ = false;
        return;
    }
}

Status MemoryObject::resize(uint64_t size) {
    if (resizable_ == Resizable::kNo) return Fail(Error::NOTSUP);
    if (size == 0 || size > arch::kUserEnd) return Fail(Error::INVAL);
    size = round_up_to_page(size);
    uint64_t old_size = 0;
    TRY(begin_resize(size, old_size));
    if (size < old_size) cut_off(size, old_size);
    return {};
}
