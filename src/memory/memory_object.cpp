#include "memory/memory_object.h"

#include <algorithm>
#include <cstring>

#include "arch/paging.h"
#include "arch/user_copy.h"
#include "memory/address_space.h"
#include "object/object_storage.h"
#include "sync/preemption.h"

namespace {
// Steps of PageTree::free_some in one piece of dismantling.
constexpr uint32_t kStepsPerPiece = 32;

// Whole pages, at most all of user space.
constexpr uint64_t kMaxSize = arch::kUserEnd;
static_assert(kMaxSize / kPageSize <= PageTree::kMaxPages);
}  // namespace

MemoryObject::MemoryObject(Budget& budget, uint64_t size, Backing backing, PhysicalAddress base)
    : Object(kType, nullptr),
      size_(size),
      backing_(backing),
      base_(base),
      pages_(backing == Backing::kFrames ? size / kPageSize : 0),
      charge_(budget.charge(0).take()) {}

Result<Ref<MemoryObject>> MemoryObject::create(Budget& budget, uint64_t size) {
    if (size == 0 || size > kMaxSize) return Fail(Error::INVAL);
    return ObjectStorage<MemoryObject>::create(budget, budget, round_up_to_page(size),
                                               Backing::kFrames, PhysicalAddress{});
}

Result<Ref<MemoryObject>> MemoryObject::create_physical(Budget& budget, PhysicalAddress base,
                                                        uint64_t size) {
    return ObjectStorage<MemoryObject>::create(budget, budget, size, Backing::kDevice, base);
}

Result<Ref<MemoryObject>> MemoryObject::create_archive(Budget& budget, PhysicalAddress base,
                                                       uint64_t size) {
    return ObjectStorage<MemoryObject>::create(budget, budget, size, Backing::kArchive, base);
}

void MemoryObject::free_memory() { ObjectStorage<MemoryObject>::free(*this); }

bool MemoryObject::dismantle() {
    LockGuard guard(pages_lock_);
    if (pages_.free_some(kStepsPerPiece, charge_)) return false;
    charge_.give_back();
    return true;
}

Result<PhysicalAddress> MemoryObject::page(uint64_t index) {
    if (index >= size_ / kPageSize) return Fail(Error::INVAL);
    if (backing_ != Backing::kFrames) return base_ + index * kPageSize;
    LockGuard guard(pages_lock_);
    return pages_.find_or_allocate(index, charge_);
}

Status MemoryObject::check_range(uint64_t offset, uint64_t size) const {
    if (offset > size_ || size > size_ - offset) return Fail(Error::INVAL);
    return {};
}

// Calls `copy(piece, done, length)` for each page's part of the range, without a lock.
template <typename Copy>
Status MemoryObject::for_each_piece(uint64_t offset, uint64_t size, Copy copy) {
    for (uint64_t done = 0; done < size;) {
        const uint64_t at = offset + done;
        const uint64_t length = std::min(size - done, kPageSize - at % kPageSize);
        const PhysicalAddress frame = TRY(page(at / kPageSize));
        auto* piece = static_cast<uint8_t*>(arch::physical_pointer(frame + at % kPageSize));
        if (!copy(piece, done, length)) return Fail(Error::FAULT);
        done += length;
        if (done < size) preemption_point();
    }
    return {};
}

Status MemoryObject::read(uint64_t offset, VirtualAddress to, uint64_t size) {
    if (is_device()) return Fail(Error::NOTSUP);
    TRY(check_range(offset, size));
    return for_each_piece(offset, size, [&](const uint8_t* piece, uint64_t done, uint64_t length) {
        return arch::copy_to_user(to + done, piece, length);
    });
}

Status MemoryObject::write(uint64_t offset, VirtualAddress from, uint64_t size) {
    if (is_device()) return Fail(Error::NOTSUP);
    if (is_read_only()) return Fail(Error::ACCES);
    TRY(check_range(offset, size));
    return for_each_piece(offset, size, [&](uint8_t* piece, uint64_t done, uint64_t length) {
        return arch::copy_from_user(piece, from + done, length);
    });
}

// Without preemption points: there is no scheduler yet.
bool MemoryObject::fill(uint64_t offset, const void* from, uint64_t size) {
    check(check_range(offset, size).ok() && backing_ == Backing::kFrames,
          "filled what is not there to be filled");
    for (uint64_t done = 0; done < size;) {
        const uint64_t at = offset + done;
        const uint64_t length = std::min(size - done, kPageSize - at % kPageSize);
        auto frame = page(at / kPageSize);
        if (!frame) return false;
        std::memcpy(arch::physical_pointer(*frame + at % kPageSize),
                    static_cast<const uint8_t*>(from) + done, length);
        done += length;
    }
    return true;
}

// ---- Views --------------------------------------------------------------------------------------

void MemoryObject::add_view(View& view) {
    LockGuard guard(pages_lock_);
    views_.push_back(view);
}

bool MemoryObject::end_view(View& view) {
    LockGuard guard(pages_lock_);
    view.ended_ = true;
    if (view.visits_ != 0) return false;
    decltype(views_)::remove(view);
    return true;
}

// A view that has not ended has pieces, which its address space takes away before it goes.
Ref<AddressSpace> MemoryObject::space_of(View& view) {
    LockGuard guard(pages_lock_);
    if (view.ended_ || !view.space_.try_retain()) return nullptr;
    return Ref<AddressSpace>(view.space_, kAdoptReference);
}

kairos_info_memory MemoryObject::describe() {
    LockGuard guard(pages_lock_);
    const bool physical = backing_ != Backing::kFrames;
    return {.size = size_,
            .committed = physical ? size_ : pages_.pages() * kPageSize,
            .physical = physical,
            .reserved = 0};
}
