#include "mm/buddies.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "arch/paging.h"

namespace mm {

namespace {

constexpr uint64_t frames_of(uint32_t order) { return uint64_t{1} << order; }
constexpr uint64_t kLargestBytes = kPageSize << kMaxOrder;

constexpr uint64_t frame_number(PhysicalAddress address) { return address.value >> kPageShift; }

// Where the frames begin that have a state: blocks are aligned by address, so are their numbers.
constexpr uint64_t first_frame_for(PhysicalAddress begin) {
    return frame_number({begin.value & ~(kLargestBytes - 1)});
}

}  // namespace

uint64_t Buddies::state_bytes(PhysicalAddress begin, PhysicalAddress end) {
    return frame_number(end) - first_frame_for(begin);
}

void Buddies::init(PhysicalAddress begin, PhysicalAddress end, uint8_t* states) {
    first_frame_ = first_frame_for(begin);
    frame_count_ = state_bytes(begin, end);
    states_ = states;
    std::memset(states_, kNotFree, frame_count_);
}

void Buddies::add(PhysicalAddress begin, PhysicalAddress end) {
    check(frame_number(begin) >= first_frame_ && begin < end &&
              frame_number(end) - first_frame_ <= frame_count_,
          "memory that the frame allocator was not made for");
    const uint64_t end_index = frame_number(end) - first_frame_;
    for (uint64_t index = index_of(begin); index < end_index;) {
        uint32_t order = kMaxOrder;
        while (index % frames_of(order) != 0 || frames_of(order) > end_index - index) --order;
        free_at(index, order);
        index += frames_of(order);
    }
}

Result<PhysicalAddress> Buddies::allocate(uint32_t order) {
    uint32_t found = order;
    while (found <= kMaxOrder && lists_[found].empty()) ++found;
    if (found > kMaxOrder) return Fail(Error::NOMEM);
    const uint64_t index =
        frame_number(arch::physical_address_of(lists_[found].front())) - first_frame_;
    take(index, found);
    while (found > order) {
        --found;
        put(index + frames_of(found), found);
    }
    free_frames_ -= frames_of(order);
    return address_of(index);
}

void Buddies::free(PhysicalAddress block, uint32_t order) {
    const uint64_t index = index_of(block);
    check(order <= kMaxOrder && index % frames_of(order) == 0 &&
              frames_of(order) <= frame_count_ - index,
          "freed frames that are no block");
    if constexpr (kDebugBuild) {
        for (uint64_t i = 0; i < frames_of(order); ++i) {
            check(!is_free(address_of(index + i)), "freed a frame that is free");
        }
    }
    free_at(index, order);
}

void Buddies::free_at(uint64_t index, uint32_t order) {
    free_frames_ += frames_of(order);
    for (; order < kMaxOrder; ++order) {
        const uint64_t buddy = index ^ frames_of(order);
        if (buddy >= frame_count_ || state(buddy) != order) break;
        take(buddy, order);
        index = std::min(index, buddy);
    }
    put(index, order);
}

void Buddies::set_cached(PhysicalAddress frame, bool cached) {
    set_state(index_of(frame), cached ? kCached : kNotFree);
}

// A free block that the frame lies in begins at the frame's number rounded down to its size.
bool Buddies::is_free(PhysicalAddress frame) const {
    const uint64_t index = index_of(frame);
    if (state(index) == kCached) return true;
    for (uint32_t order = 0; order <= kMaxOrder; ++order) {
        const uint8_t found = state(index & ~(frames_of(order) - 1));
        if (found <= kMaxOrder && found >= order) return true;
    }
    return false;
}

// ---- Users --------------------------------------------------------------------------------------

uint32_t Buddies::users(PhysicalAddress frame) const {
    return uint32_t{kNotFree} + 1 - state(index_of(frame));
}

// Exchanges one state for another, if it is as it was; by way of the word around it, for want of
// such an instruction for bytes. Other harts may store to the other three.
bool Buddies::exchange_state(uint64_t index, uint8_t was, uint8_t becomes) {
    constexpr uint64_t kInWord = sizeof(uint32_t) - 1;
    std::atomic_ref word(*reinterpret_cast<uint32_t*>(states_ + (index & ~kInWord)));
    const uint32_t shift = 8 * (index & kInWord);
    uint32_t now = word.load(std::memory_order_relaxed);
    if ((now >> shift & 0xff) != was) return false;
    const uint32_t next = (now & ~(uint32_t{0xff} << shift)) | uint32_t{becomes} << shift;
    return word.compare_exchange_weak(now, next, std::memory_order_acq_rel,
                                      std::memory_order_relaxed);
}

bool Buddies::add_user(PhysicalAddress frame) {
    const uint64_t index = index_of(frame);
    uint8_t now = 0;
    do {
        now = state(index);
        if (now == kMostUsers) return false;
    } while (!exchange_state(index, now, now - 1));
    return true;
}

bool Buddies::drop_user(PhysicalAddress frame) {
    const uint64_t index = index_of(frame);
    uint8_t now = 0;
    do {
        now = state(index);
        if (now != kNotFree) continue;
        std::atomic_thread_fence(std::memory_order_acquire);  // the others are done with the frame
        return false;
    } while (!exchange_state(index, now, now + 1));
    return true;
}

uint64_t Buddies::index_of(PhysicalAddress frame) const {
    const uint64_t index = frame_number(frame) - first_frame_;  // wraps below the first
    check(frame.page_aligned() && index < frame_count_, "a frame that does not exist");
    return index;
}

Buddies::FreeBlock& Buddies::block_at(uint64_t index) const {
    return *static_cast<FreeBlock*>(arch::physical_pointer(address_of(index)));
}

uint8_t Buddies::state(uint64_t index) const {
    return std::atomic_ref(states_[index]).load(std::memory_order_relaxed);
}

void Buddies::set_state(uint64_t index, uint8_t state) {
    std::atomic_ref(states_[index]).store(state, std::memory_order_relaxed);
}

void Buddies::put(uint64_t index, uint32_t order) {
    lists_[order].push_front(*new (&block_at(index)) FreeBlock);
    set_state(index, static_cast<uint8_t>(order));
}

void Buddies::take(uint64_t index, uint32_t order) {
    lists_[order].remove(block_at(index));
    set_state(index, kNotFree);
}

}  // namespace mm
