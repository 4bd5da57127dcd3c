// Page frames: all RAM that is not reserved, in blocks of 1 to 1024 frames (mm/buddies.h), with a
// cache of single frames on each hart so that the usual case takes no lock.
//
//     allocate_frame ──> this hart's cache ──empty: a batch──> buddies (lock of rank kFrames)
//     free_frame     ──> this hart's cache ──full: a batch───> buddies
//
// What a cache holds counts as free. It cannot be had by other harts, though: when memory is nearly
// gone, an allocation may fail while up to 64 frames wait on each other hart.
//
// Debug builds fill what is freed with 0xa5 and panic when something is freed twice.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/types.h"
#include "mm/buddies.h"

namespace mm {

struct FrameRange {
    PhysicalAddress base{};
    uint64_t size = 0;

    PhysicalAddress end() const { return base + size; }
};

// What the allocator starts from; boot only. Ranges need not be whole pages, nor in order; usable
// ones do not overlap. RAM that the kernel cannot map (arch::kPhysicalLimit) is left out.
class BootMemory {
  public:
    void add_usable(PhysicalAddress base, uint64_t size);
    void add_reserved(PhysicalAddress base, uint64_t size);

  private:
    friend void init_frames(const BootMemory& memory);

    static constexpr uint32_t kMaxRanges = 24;
    template <typename Use>
    void for_each_free_stretch(Use use) const;
    const FrameRange* first_reserved(PhysicalAddress from, PhysicalAddress to) const;
    PhysicalAddress find_room(uint64_t bytes) const;

    FrameRange usable_[kMaxRanges];
    uint32_t usable_count_ = 0;
    FrameRange reserved_[kMaxRanges];
    uint32_t reserved_count_ = 0;
};

// Once, at boot. The bytes that describe the frames are taken from the memory itself; apart from
// them, only the beginning of each large block is touched. Panics where there is no room.
void init_frames(const BootMemory& memory);

// One frame with whatever was in it, or of zeros. -ENOMEM.
Result<PhysicalAddress> allocate_frame();
Result<PhysicalAddress> allocate_zeroed_frame();
void free_frame(PhysicalAddress frame);

// Frames with several users (memory/memory_object.h): each puts the frame when it is done with it,
// and the last one frees it. A frame begins with one user.
uint32_t frame_users(PhysicalAddress frame);
[[nodiscard]] bool share_frame(PhysicalAddress frame);  // false: it has as many as there can be
void put_frame(PhysicalAddress frame);
// Users beyond the first, of all frames together.
uint64_t extra_frame_users();

// 2^order frames in a row (order at most kMaxOrder), aligned to their size. -ENOMEM.
Result<PhysicalAddress> allocate_block(uint32_t order);
void free_block(PhysicalAddress block, uint32_t order);

uint64_t total_frames();       // all RAM, what is reserved included
uint64_t free_frames_count();  // exact while nobody allocates or frees

}  // namespace mm
