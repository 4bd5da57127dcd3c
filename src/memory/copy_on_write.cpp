// Clones, and what happens when a page that a clone shares is written.
//
//     clone, for some pages at a time              own_page, for one page that has several users
//     1 object's lock: one more user for each      1 object's lock: the entry is marked: moving
//     2 clone's lock: they are the clone's too     2 every view forgets the page, flushed
//     3 every view shows them read-only, flushed   3 a copy is made; object's lock: it takes the
//                                                    frame's place, and the mark goes
//                                                  4 after a grace period: one user less
//
// From 1 on (left) no mapping is made writable, and after 3 none is. From the mark on (right) no
// mapping is made at all, so that nobody sees the old page when somebody has written to the new
// one; faults try again until it has gone. Its maker cannot be preempted, so that is soon.
#include <algorithm>
#include <cstring>
#include <new>

#include "arch/hart.h"
#include "arch/paging.h"
#include "memory/address_space.h"
#include "memory/memory_object.h"
#include "mm/frames.h"
#include "mm/object_cache.h"
#include "object/object_storage.h"
#include "object/reclaim.h"
#include "sync/preemption.h"

namespace {

// A frame that a hart may still be reading from.
struct LeftFrame {
    Retired retired;
    PhysicalAddress frame;
};
constinit mm::ObjectCache<LeftFrame, mm::PaidBy::kNobody> left_frames;

void put_later(LeftFrame& left) {
    Reclaim::retire(left.retired, [](Retired& retired) {
        LeftFrame& passed = container_of(retired, &LeftFrame::retired);
        mm::put_frame(passed.frame);
        left_frames.free(&passed);
    });
}

Result<PhysicalAddress> copy_of(PhysicalAddress frame) {
    const PhysicalAddress copy = TRY(mm::allocate_frame());
    std::memcpy(arch::physical_pointer(copy), arch::physical_pointer(frame), kPageSize);
    return copy;
}

}  // namespace

// ---- Writing ------------------------------------------------------------------------------------

// Frames that nobody else uses any more are kept as they are.
Status MemoryObject::own_page(uint64_t index) {
    PhysicalAddress old;
    {
        LockGuard guard(pages_lock_);
        PageEntry* entry = pages_.find(index);
        if (entry == nullptr || (!entry->moving() && mm::frame_users(entry->frame()) == 1)) {
            return {};
        }
        if (entry->moving()) {
            guard.unlock();
            arch::relax();
            return {};
        }
        entry->set_moving(true);
        old = entry->frame();
    }
    for_each_view([&](View& view, AddressSpace& space) { space.forget_page(view, index); });
    auto copy = copy_of(old);
    void* cell = copy.ok() ? left_frames.allocate() : nullptr;
    {
        LockGuard guard(pages_lock_);
        PageEntry& entry = *pages_.find(index);
        entry.set_moving(false);
        if (cell != nullptr) entry.replace(*copy);
    }
    if (cell != nullptr) {
        put_later(*new (cell) LeftFrame{{}, old});
        return {};
    }
    if (copy.ok()) mm::free_frame(*copy);
    return Fail(Error::NOMEM);
}

// Nothing is shared any more afterwards, unless another clone has been begun.
Status MemoryObject::own_all_pages() {
    uint64_t begun = 0;
    {
        LockGuard guard(pages_lock_);
        begun = clones_begun_;
    }
    for (uint64_t index = 0; index < size() / kPageSize;) {
        uint64_t next = 0;
        {
            LockGuard guard(pages_lock_);
            next = pages_.next_present(index);
            const PageEntry* entry = pages_.find(next);
            if (entry != nullptr && mm::frame_users(entry->frame()) == 1) ++next;
        }
        if (next == index) TRY(own_page(index));
        index = next;
        preemption_point();
    }
    LockGuard guard(pages_lock_);
    if (clones_begun_ == begun && clones_under_way_ == 0) sharing_ = false;
    return {};
}

// ---- Cloning ------------------------------------------------------------------------------------

// Pages on their way from an object to its clone.
struct MemoryObject::Batch {
    static constexpr uint32_t kPages = 16;
    struct Page {
        uint64_t index;  // in the object that is cloned
        PhysicalAddress frame;
        bool shared;  // the clone is a user of the frame; otherwise it needs a copy
    };
    Page pages[kPages];
    uint32_t count = 0;
};

// False: it is mapped in so many places that the clone gets copies at once.
bool MemoryObject::begin_clone() {
    LockGuard guard(pages_lock_);
    ++clones_begun_;
    ++clones_under_way_;
    if (view_count_ > kMaxViewsWhileSharing) return false;
    sharing_ = true;
    return true;
}

void MemoryObject::end_clone() {
    LockGuard guard(pages_lock_);
    --clones_under_way_;
}

// Takes some pages of [at, end) that have frames, and moves `at` behind them. Pages that are cut
// off meanwhile are zeros.
void MemoryObject::gather(uint64_t& at, uint64_t end, bool share, Batch& batch) {
    LockGuard guard(pages_lock_);
    end = std::min(end, size() / kPageSize);
    const uint64_t stop = at + PageTree::kPagesPerTable;
    for (; at < std::min(end, stop) && batch.count < Batch::kPages; ++at) {
        PhysicalAddress frame = base_ + at * kPageSize;
        if (backing_ == Backing::kFrames) {
            at = pages_.next_present(at);
            const PageEntry* entry = at < end ? pages_.find(at) : nullptr;
            if (entry == nullptr) return;
            frame = entry->frame();
        }
        batch.pages[batch.count++] = {at, frame, share && mm::share_frame(frame)};
    }
}

// Enters the pages in this object, which nobody else knows yet; page 0 is page `first` of the
// batch. A frame that is copied here was looked up just before.
Status MemoryObject::take_over(const Batch& batch, uint64_t first) {
    LockGuard guard(pages_lock_);
    Status done;
    for (const Batch::Page& page : std::span(batch.pages, batch.count)) {
        PhysicalAddress frame = page.frame;
        bool mine = page.shared;
        if (done.ok() && !mine) {
            const auto copy = copy_of(frame);
            mine = copy.ok();
            if (mine) {
                frame = copy.value();
            } else {
                done = Fail(copy.error());
            }
        }
        if (done.ok()) done = pages_.insert(page.index - first, frame, charge_);
        if (!done.ok() && mine) mm::put_frame(frame);
    }
    return done;
}

Status MemoryObject::clone_into(MemoryObject& clone, MemoryRange range, bool share) {
    const uint64_t first = range.offset / kPageSize;
    const uint64_t end = first + range.length / kPageSize;
    for (uint64_t at = first; at < std::min(end, size() / kPageSize);) {
        Batch batch;
        gather(at, end, share, batch);
        if (batch.count != 0) {
            TRY(clone.take_over(batch, first));
            const uint64_t begin = batch.pages[0].index;
            const MemoryRange part{begin * kPageSize, (at - begin) * kPageSize};
            if (share) {
                for_each_view([&](View& view, AddressSpace& space) {
                    space.write_protect(view, part);
                    preemption_point();
                });
            }
        }
        preemption_point();
    }
    return {};
}

Result<Ref<MemoryObject>> MemoryObject::clone(MemoryRange range, Budget& budget,
                                              Resizable resizable) {
    if (is_device()) return Fail(Error::NOTSUP);
    TRY(check_range(range.offset, range.length));
    Ref<MemoryObject> clone = TRY(create(budget, range.length, resizable));
    const bool share = begin_clone();
    if (share) clone->begin_clone();
    const Status done = clone_into(*clone, range, share);
    if (share) clone->end_clone();
    end_clone();
    TRY(done);
    return clone;
}
