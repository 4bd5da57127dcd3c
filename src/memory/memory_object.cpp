#include "memory/memory_object.h"

#include <algorithm>
#include <cstring>

#include "arch/paging.h"
#include "arch/user_copy.h"
#include "memory/address_space.h"
#include "mm/frames.h"
#include "object/lineage.h"
#include "object/object_storage.h"
#include "sync/preemption.h"

namespace {
// Steps of PageTree::free_some in one piece of dismantling.
constexpr uint32_t kStepsPerPiece = 16;

// Whole pages, at most all of user space.
constexpr uint64_t kMaxSize = arch::kUserEnd;
static_assert(kMaxSize / kPageSize <= PageTree::kMaxPages);

// Written bytes come by way of a buffer on the stack.
constexpr uint64_t kWriteBuffer = 512;
}  // namespace

MemoryObject::MemoryObject(Budget& budget, uint64_t size, Backing backing, PhysicalAddress base,
                           Resizable resizable)
    : Object(kType, nullptr),
      size_(size),
      backing_(backing),
      resizable_(resizable),
      base_(base),
      pages_(backing == Backing::kFrames ? size / kPageSize : 0),
      charge_(budget.charge(0).take()) {}

Result<Ref<MemoryObject>> MemoryObject::create(Budget& budget, uint64_t size, Resizable resizable) {
    if (size == 0 || size > kMaxSize) return Fail(Error::INVAL);
    return ObjectStorage<MemoryObject>::create(budget, budget, round_up_to_page(size),
                                               Backing::kFrames, PhysicalAddress{}, resizable);
}

Result<Ref<MemoryObject>> MemoryObject::create_physical(Budget& budget, PhysicalAddress base,
                                                        uint64_t size) {
    return ObjectStorage<MemoryObject>::create(budget, budget, size, Backing::kDevice, base,
                                               Resizable::kNo);
}

Result<Ref<MemoryObject>> MemoryObject::create_archive(Budget& budget, PhysicalAddress base,
                                                       uint64_t size) {
    return ObjectStorage<MemoryObject>::create(budget, budget, size, Backing::kArchive, base,
                                               Resizable::kNo);
}

void MemoryObject::free_memory() { ObjectStorage<MemoryObject>::free(*this); }

bool MemoryObject::dismantle() {
    LockGuard guard(pages_lock_);
    if (pages_.free_some(0, freed_up_to_, kStepsPerPiece, charge_)) return false;
    charge_.give_back();
    return true;
}

// ---- Pages --------------------------------------------------------------------------------------

Result<MemoryObject::Page> MemoryObject::look_up(uint64_t index) {
    if (index >= size() / kPageSize) return Fail(Error::INVAL);
    if (backing_ != Backing::kFrames) return Page{base_ + index * kPageSize, true, true};
    const PageEntry entry = *TRY(pages_.find_or_allocate(index, charge_));
    if (!sharing_) return Page{entry.frame(), true, true};
    const bool own = !entry.moving() && mm::frame_users(entry.frame()) == 1;
    return Page{entry.frame(), own, !entry.moving()};
}

Result<MemoryObject::Page> MemoryObject::page(uint64_t index) {
    LockGuard guard(pages_lock_);
    return look_up(index);
}

Status MemoryObject::check_range(uint64_t offset, uint64_t size) const {
    const uint64_t end = this->size();
    if (offset > end || size > end - offset) return Fail(Error::INVAL);
    return {};
}

// ---- Copying ------------------------------------------------------------------------------------

// Calls `copy(at, done, length)` for parts of the range of at most `most` bytes, each within a
// page.
template <typename Copy>
Status MemoryObject::for_each_piece(uint64_t offset, uint64_t size, uint64_t most, Copy copy) {
    for (uint64_t done = 0; done < size;) {
        const uint64_t at = offset + done;
        const uint64_t length = std::min({size - done, kPageSize - at % kPageSize, most});
        TRY(copy(at, done, length));
        done += length;
        if (done < size) preemption_point();
    }
    return {};
}

Status MemoryObject::read(uint64_t offset, VirtualAddress to, uint64_t size) {
    if (is_device()) return Fail(Error::NOTSUP);
    TRY(check_range(offset, size));
    return for_each_piece(offset, size, kPageSize,
                          [&](uint64_t at, uint64_t done, uint64_t length) -> Status {
                              const PhysicalAddress frame = TRY(page(at / kPageSize)).frame;
                              const void* bytes = arch::physical_pointer(frame + at % kPageSize);
                              if (!arch::copy_to_user(to + done, bytes, length))
                                  return Fail(Error::FAULT);
                              return {};
                          });
}

Status MemoryObject::write(uint64_t offset, VirtualAddress from, uint64_t size) {
    if (is_device()) return Fail(Error::NOTSUP);
    if (is_read_only()) return Fail(Error::ACCES);
    TRY(check_range(offset, size));
    return for_each_piece(offset, size, kWriteBuffer,
                          [&](uint64_t at, uint64_t done, uint64_t length) -> Status {
                              uint8_t buffer[kWriteBuffer];
                              if (!arch::copy_from_user(buffer, from + done, length)) {
                                  return Fail(Error::FAULT);
                              }
                              return write_piece(at, buffer, length);
                          });
}

// Bytes within one page. They are stored under the lock, where no clone can come to share the page.
Status MemoryObject::write_piece(uint64_t offset, const void* bytes, uint64_t length) {
    const uint64_t index = offset / kPageSize;
    while (true) {
        {
            LockGuard guard(pages_lock_);
            const Page found = TRY(look_up(index));
            if (found.writable) {
                std::memcpy(arch::physical_pointer(found.frame + offset % kPageSize), bytes,
                            length);
                return {};
            }
        }
        TRY(own_page(index));
    }
}

// Without preemption points: there is no scheduler yet.
bool MemoryObject::fill(uint64_t offset, const void* from, uint64_t size) {
    check(check_range(offset, size).ok() && backing_ == Backing::kFrames,
          "filled what is not there to be filled");
    for (uint64_t done = 0; done < size;) {
        const uint64_t at = offset + done;
        const uint64_t length = std::min(size - done, kPageSize - at % kPageSize);
        if (!write_piece(at, static_cast<const uint8_t*>(from) + done, length)) return false;
        done += length;
    }
    return true;
}

// ---- Views --------------------------------------------------------------------------------------

Status MemoryObject::add_view(View& view) {
    for (bool tried = false;; tried = true) {
        {
            LockGuard guard(pages_lock_);
            if (!sharing_ || view_count_ < kMaxViewsWhileSharing) {
                views_.push_back(view);
                ++view_count_;
                return {};
            }
        }
        if (tried) return Fail(Error::BUSY);
        TRY(own_all_pages());
    }
}

// From one view to the next, or from none to the first. The view that the caller stands on stays in
// the list. `space` is where the next view is, unless it has ended.
View* MemoryObject::next_view(View* view, Ref<AddressSpace>& space) {
    View* left = nullptr;
    View* next = nullptr;
    {
        LockGuard guard(pages_lock_);
        next = view == nullptr ? views_.front() : views_.after(*view);
        if (next != nullptr) ++next->visits_;
        if (next != nullptr && !next->ended_ && next->space_.try_retain()) {
            space = Ref<AddressSpace>(next->space_, kAdoptReference);
        }
        if (view != nullptr && --view->visits_ == 0 && view->ended_) {
            remove_view(*view);
            left = view;
        }
    }
    if (left != nullptr) Lineage::close(*left);
    return next;
}

void MemoryObject::remove_view(View& view) {
    decltype(views_)::remove(view);
    --view_count_;
}

bool MemoryObject::end_view(View& view) {
    LockGuard guard(pages_lock_);
    view.ended_ = true;
    if (view.visits_ != 0) return false;
    remove_view(view);
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
    const uint32_t physical = backing_ != Backing::kFrames ? 1 : 0;
    return {.size = size(),
            .committed = physical ? size() : pages_.pages() * kPageSize,
            .physical = physical,
            .flags = resizable_ == Resizable::kYes ? KMEMORY_CREATE_RESIZABLE : 0,
            .mappings = view_count_,
            .reserved = 0};
}
