// Binary buddies: blocks of 1 to 1024 page frames in a row, aligned to their size. Every operation
// takes at most one step per order.
//
// Free blocks are linked through their own memory, so nothing but one byte per frame is kept beside
// them: the order of the free block that begins at the frame, or how many users it has. A block
// that is freed merges with its buddy (the other half of the next larger block) as long as that is
// free too, so memory that all comes back is whole again.
//
// Not here: locks (mm/frames.cpp has one around this), and which memory there is.
#pragma once

#include <cstdint>

#include "base/list.h"
#include "base/result.h"
#include "base/types.h"

namespace mm {

inline constexpr uint32_t kMaxOrder = 10;

class Buddies {
  public:
    // Begins without any memory, for frames between the two addresses, which are whole frames.
    // `states`, on a multiple of 4, has a byte for each of them, and for those before that make the
    // beginning a multiple of the largest block: state_bytes() of the same addresses.
    void init(PhysicalAddress begin, PhysicalAddress end, uint8_t* states);
    static uint64_t state_bytes(PhysicalAddress begin, PhysicalAddress end);

    // Gives the frames between two addresses to the allocator, in the largest blocks that fit.
    void add(PhysicalAddress begin, PhysicalAddress end);

    // -ENOMEM: no block is left that is large enough.
    Result<PhysicalAddress> allocate(uint32_t order);
    // Panics if the frames were never here; debug builds, also if any of them is free already.
    void free(PhysicalAddress block, uint32_t order);
    uint64_t free_frames() const { return free_frames_; }

    // Debug builds: a frame that is allocated as far as this is concerned, but lies in a cache
    // above. The states of different frames may be changed by different harts at once.
    void set_cached(PhysicalAddress frame, bool cached);
    // Whether it lies in a free block, or in a cache.
    bool is_free(PhysicalAddress frame) const;

    // An allocated frame has one user, and may get more; nobody is told whose they are. Any hart
    // may call these at any time, for frames that it has a claim to.
    uint32_t users(PhysicalAddress frame) const;
    // False: there are as many as can be counted.
    bool add_user(PhysicalAddress frame);
    // False: it was the only one, and has to free the frame.
    bool drop_user(PhysicalAddress frame);

  private:
    // States that are no order of a free block. An allocated frame counts down from kNotFree for
    // each user beyond the first.
    static constexpr uint8_t kNotFree = 0xff;
    static constexpr uint8_t kMostUsers = 0x20;
    static constexpr uint8_t kCached = 0x10;
    static_assert(kMaxOrder < kCached);

    // Lies at the beginning of every free block.
    struct FreeBlock {
        ListNode node;
    };

    uint64_t index_of(PhysicalAddress frame) const;
    PhysicalAddress address_of(uint64_t index) const {
        return {(first_frame_ + index) << kPageShift};
    }
    FreeBlock& block_at(uint64_t index) const;
    uint8_t state(uint64_t index) const;
    void set_state(uint64_t index, uint8_t state);
    bool exchange_state(uint64_t index, uint8_t was, uint8_t becomes);
    void put(uint64_t index, uint32_t order);
    void take(uint64_t index, uint32_t order);
    void free_at(uint64_t index, uint32_t order);

    uint64_t first_frame_ = 0;  // a multiple of the largest block
    uint64_t frame_count_ = 0;
    uint8_t* states_ = nullptr;
    uint64_t free_frames_ = 0;
    List<FreeBlock, &FreeBlock::node> lists_[kMaxOrder + 1];
};

}  // namespace mm
