// Page frames: a binary buddy allocator over all RAM, with a cache of single frames on each hart so
// that the usual case takes no lock.
//
// Free blocks are linked through their own memory; one byte per frame says whether a free block
// begins there and of which order. Blocks merge with their buddies when they are freed, so memory
// that all comes back is whole again.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/types.h"

namespace mm {

inline constexpr uint32_t kMaxOrder = 10;  // blocks of 1 to 1024 frames

struct FrameRange {
    PhysicalAddress base{};
    uint64_t size = 0;
};

// What the allocator starts from; boot only.
class BootMemory {
  public:
    void add_usable(PhysicalAddress base, uint64_t size);
    void add_reserved(PhysicalAddress base, uint64_t size);

  private:
    friend void init_frames(const BootMemory& memory);
    static constexpr uint32_t kMaxRanges = 24;
    FrameRange usable_[kMaxRanges];
    uint32_t usable_count_ = 0;
    FrameRange reserved_[kMaxRanges];
    uint32_t reserved_count_ = 0;
};
void init_frames(const BootMemory& memory);

// One frame with whatever was in it, or of zeros. -ENOMEM.
Result<PhysicalAddress> allocate_frame();
Result<PhysicalAddress> allocate_zeroed_frame();
void free_frame(PhysicalAddress frame);

// 2^order frames in a row, aligned to their size. -ENOMEM.
Result<PhysicalAddress> allocate_block(uint32_t order);
void free_block(PhysicalAddress block, uint32_t order);

uint64_t total_frames();  // all RAM, what is reserved included
uint64_t free_frames_count();

}  // namespace mm
