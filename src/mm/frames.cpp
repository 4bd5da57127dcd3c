#include "mm/frames.h"

#include <algorithm>
#include <cstring>

#include "arch/paging.h"
#include "base/list.h"
#include "sync/hart.h"
#include "sync/spin_lock.h"

namespace mm {

namespace {

// Lies at the beginning of every free block.
struct FreeBlock {
    ListNode node;
};

constexpr uint8_t kNotFree = 0xff;  // no free block begins at this frame
constexpr uint8_t kCached = 0xfe;   // debug builds: waits in a hart's cache

// All blocks, by frame number relative to `first_frame`, which is aligned to the largest block.
class Buddies {
  public:
    void init(uint64_t first_frame, uint64_t frame_count, uint8_t* orders) {
        first_frame_ = first_frame;
        frame_count_ = frame_count;
        orders_ = orders;
        std::memset(orders_, kNotFree, frame_count_);
    }

    // -1: nothing left.
    int64_t allocate(uint32_t order) {
        uint32_t found = order;
        while (found <= kMaxOrder && lists_[found].empty()) ++found;
        if (found > kMaxOrder) return -1;
        const uint64_t index = index_of(*lists_[found].front());
        take(index, found);
        while (found > order) {
            --found;
            put(index + (uint64_t{1} << found), found);
        }
        free_frames_ -= uint64_t{1} << order;
        return static_cast<int64_t>(index);
    }

    void free(uint64_t index, uint32_t order) {
        check(index < frame_count_, "freed a frame that does not exist");
        debug_check(orders_[index] == kNotFree, "freed a frame that is free");
        free_frames_ += uint64_t{1} << order;
        for (; order < kMaxOrder; ++order) {
            const uint64_t buddy = index ^ (uint64_t{1} << order);
            if (buddy >= frame_count_ || orders_[buddy] != order) break;
            take(buddy, order);
            index = std::min(index, buddy);
        }
        put(index, order);
    }

    uint64_t index(PhysicalAddress frame) const {
        return (frame.value >> kPageShift) - first_frame_;
    }
    PhysicalAddress address(uint64_t index) const { return {(first_frame_ + index) << kPageShift}; }
    uint64_t free_frames() const { return free_frames_; }
    void mark(uint64_t index, uint8_t state) { orders_[index] = state; }
    uint8_t state(uint64_t index) const { return orders_[index]; }

  private:
    FreeBlock& block(uint64_t index) const {
        return *static_cast<FreeBlock*>(arch::physical_pointer(address(index)));
    }
    uint64_t index_of(const FreeBlock& block) const {
        return index(arch::physical_address_of(&block));
    }
    void put(uint64_t index, uint32_t order) {
        lists_[order].push_front(*new (&block(index)) FreeBlock);
        orders_[index] = static_cast<uint8_t>(order);
    }
    void take(uint64_t index, uint32_t order) {
        lists_[order].remove(block(index));
        orders_[index] = kNotFree;
    }

    uint64_t first_frame_ = 0;
    uint64_t frame_count_ = 0;
    uint8_t* orders_ = nullptr;
    uint64_t free_frames_ = 0;
    List<FreeBlock, &FreeBlock::node> lists_[kMaxOrder + 1];
};

// Single frames of one hart; touched by that hart alone, but for the count.
struct FrameCache {
    static constexpr uint32_t kCapacity = 64;
    static constexpr uint32_t kBatch = kCapacity / 2;

    PhysicalAddress frames[kCapacity];
    std::atomic<uint32_t> count{0};
};

constinit SpinLock lock{LockRank::kFrames};
constinit Buddies buddies;  // guarded by the lock
constinit PerHart<FrameCache> caches;
uint64_t total = 0;

// Debug builds fill freed frames, so that nobody lives on what he has given back.
constexpr int kPoison = 0xa5;

bool refill(FrameCache& cache) {
    LockGuard guard(lock);
    uint32_t count = 0;
    for (; count < FrameCache::kBatch; ++count) {
        const int64_t index = buddies.allocate(0);
        if (index < 0) break;
        cache.frames[count] = buddies.address(index);
        if constexpr (kDebugBuild) buddies.mark(index, kCached);
    }
    cache.count.store(count, std::memory_order_relaxed);
    return count != 0;
}

void drain(FrameCache& cache) {
    LockGuard guard(lock);
    uint32_t count = cache.count.load(std::memory_order_relaxed);
    for (uint32_t i = 0; i < FrameCache::kBatch; ++i) {
        const uint64_t index = buddies.index(cache.frames[--count]);
        if constexpr (kDebugBuild) buddies.mark(index, kNotFree);
        buddies.free(index, 0);
    }
    cache.count.store(count, std::memory_order_relaxed);
}

// The first reserved range that begins in or covers part of [from, to), or null.
const FrameRange* first_reserved(const FrameRange* ranges, uint32_t count, uint64_t from,
                                 uint64_t to) {
    const FrameRange* first = nullptr;
    for (uint32_t i = 0; i < count; ++i) {
        const uint64_t base = ranges[i].base.value;
        if (base >= to || base + ranges[i].size <= from) continue;
        if (first == nullptr || base < first->base.value) first = &ranges[i];
    }
    return first;
}

// Calls `use(from, to)` for each stretch of [from, to) that is not reserved, in whole pages.
template <typename Use>
void for_each_free_stretch(const FrameRange* reserved, uint32_t count, uint64_t from, uint64_t to,
                           Use use) {
    while (from < to) {
        const FrameRange* next = first_reserved(reserved, count, from, to);
        const uint64_t end = next == nullptr ? to : std::max(from, next->base.value);
        const uint64_t first_page = round_up_to_page(from);
        const uint64_t end_page = end & ~(kPageSize - 1);
        if (first_page < end_page) use(first_page, end_page);
        if (next == nullptr) return;
        from = next->base.value + next->size;
    }
}

void free_stretch(uint64_t from, uint64_t to) {
    uint64_t index = buddies.index({from});
    const uint64_t end = buddies.index({to});
    while (index < end) {
        uint32_t order = kMaxOrder;
        while ((index & ((uint64_t{1} << order) - 1)) != 0 ||
               index + (uint64_t{1} << order) > end) {
            --order;
        }
        buddies.free(index, order);
        index += uint64_t{1} << order;
    }
}

}  // namespace

void BootMemory::add_usable(PhysicalAddress base, uint64_t size) {
    check(usable_count_ < kMaxRanges, "more ranges of memory than there is room for");
    usable_[usable_count_++] = {base, size};
}

void BootMemory::add_reserved(PhysicalAddress base, uint64_t size) {
    check(reserved_count_ < kMaxRanges, "more reserved ranges than there is room for");
    reserved_[reserved_count_++] = {base, size};
}

void init_frames(const BootMemory& memory) {
    uint64_t lowest = UINT64_MAX;
    uint64_t highest = 0;
    for (uint32_t i = 0; i < memory.usable_count_; ++i) {
        const FrameRange& range = memory.usable_[i];
        lowest = std::min(lowest, range.base.value);
        highest = std::max(highest, range.base.value + range.size);
        total += range.size / kPageSize;
    }
    constexpr uint64_t kLargest = kPageSize << kMaxOrder;
    const uint64_t first_frame = (lowest & ~(kLargest - 1)) / kPageSize;
    const uint64_t frames = highest / kPageSize - first_frame;

    // The bytes that describe the frames take the first stretch that has room for them.
    BootMemory rest = memory;
    uint64_t orders_at = 0;
    for (uint32_t i = 0; i < memory.usable_count_; ++i) {
        const FrameRange& range = memory.usable_[i];
        for_each_free_stretch(memory.reserved_, memory.reserved_count_, range.base.value,
                              range.base.value + range.size, [&](uint64_t from, uint64_t to) {
                                  if (orders_at == 0 && to - from >= frames) orders_at = from;
                              });
    }
    check(orders_at != 0, "no room for the description of memory");
    rest.add_reserved({orders_at}, round_up_to_page(frames));
    buddies.init(first_frame, frames, static_cast<uint8_t*>(arch::physical_pointer({orders_at})));
    for (uint32_t i = 0; i < memory.usable_count_; ++i) {
        const FrameRange& range = memory.usable_[i];
        for_each_free_stretch(rest.reserved_, rest.reserved_count_, range.base.value,
                              range.base.value + range.size, free_stretch);
    }
}

Result<PhysicalAddress> allocate_frame() {
    FrameCache& cache = caches.local();
    uint32_t count = cache.count.load(std::memory_order_relaxed);
    if (count == 0) {
        if (!refill(cache)) return Fail(Error::NOMEM);
        count = cache.count.load(std::memory_order_relaxed);
    }
    cache.count.store(count - 1, std::memory_order_relaxed);
    const PhysicalAddress frame = cache.frames[count - 1];
    if constexpr (kDebugBuild) buddies.mark(buddies.index(frame), kNotFree);
    return frame;
}

Result<PhysicalAddress> allocate_zeroed_frame() {
    const PhysicalAddress frame = TRY(allocate_frame());
    std::memset(arch::physical_pointer(frame), 0, kPageSize);
    return frame;
}

void free_frame(PhysicalAddress frame) {
    if constexpr (kDebugBuild) {
        const uint64_t index = buddies.index(frame);
        check(buddies.state(index) == kNotFree, "freed a frame that is free");
        buddies.mark(index, kCached);
        std::memset(arch::physical_pointer(frame), kPoison, kPageSize);
    }
    FrameCache& cache = caches.local();
    if (cache.count.load(std::memory_order_relaxed) == FrameCache::kCapacity) drain(cache);
    const uint32_t count = cache.count.load(std::memory_order_relaxed);
    cache.frames[count] = frame;
    cache.count.store(count + 1, std::memory_order_relaxed);
}

Result<PhysicalAddress> allocate_block(uint32_t order) {
    LockGuard guard(lock);
    const int64_t index = buddies.allocate(order);
    if (index < 0) return Fail(Error::NOMEM);
    return buddies.address(index);
}

void free_block(PhysicalAddress block, uint32_t order) {
    LockGuard guard(lock);
    buddies.free(buddies.index(block), order);
}

uint64_t total_frames() { return total; }

uint64_t free_frames_count() {
    LockGuard guard(lock);
    uint64_t count = buddies.free_frames();
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        count += caches.at({i}).count.load(std::memory_order_relaxed);
    }
    return count;
}

}  // namespace mm
