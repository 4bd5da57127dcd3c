#include "mm/frames.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "arch/paging.h"
#include "sync/hart.h"
#include "sync/spin_lock.h"

namespace mm {

namespace {

// Single frames of one hart; touched by that hart alone, but for the count, which others read.
struct FrameCache {
    static constexpr uint32_t kCapacity = 64;
    static constexpr uint32_t kBatch = kCapacity / 2;

    PhysicalAddress frames[kCapacity];
    std::atomic<uint32_t> count{0};
};

constinit SpinLock lock{LockRank::kFrames};
constinit Buddies buddies;  // guarded by the lock, but for set_cached and users
constinit PerHart<FrameCache> caches;
uint64_t total = 0;  // written at boot
constinit std::atomic<uint64_t> extra_users{0};

constexpr int kPoison = 0xa5;

void poison(PhysicalAddress block, uint32_t order) {
    std::memset(arch::physical_pointer(block), kPoison, kPageSize << order);
}

// A frame enters a cache, or leaves it.
void note_cached(PhysicalAddress frame, bool cached) {
    if constexpr (kDebugBuild) buddies.set_cached(frame, cached);
}

// Takes a batch, or what there is of it, into an empty cache. False: there is nothing.
bool refill(FrameCache& cache) {
    LockGuard guard(lock);
    uint32_t count = 0;
    while (count < FrameCache::kBatch) {
        auto frame = buddies.allocate(0);
        if (!frame) break;
        note_cached(*frame, true);
        cache.frames[count++] = *frame;
    }
    cache.count.store(count, std::memory_order_relaxed);
    return count != 0;
}

// Gives back all that the cache holds beyond `left`.
void drain(FrameCache& cache, uint32_t left) {
    LockGuard guard(lock);
    uint32_t count = cache.count.load(std::memory_order_relaxed);
    while (count > left) {
        const PhysicalAddress frame = cache.frames[--count];
        note_cached(frame, false);
        buddies.free(frame, 0);
    }
    cache.count.store(count, std::memory_order_relaxed);
}

Result<PhysicalAddress> allocate_uncached(uint32_t order) {
    LockGuard guard(lock);
    return buddies.allocate(order);
}

}  // namespace

// ---- Boot ---------------------------------------------------------------------------------------

void BootMemory::add_usable(PhysicalAddress base, uint64_t size) {
    if (base.value >= arch::kPhysicalLimit) return;
    const FrameRange range{base, std::min(size, arch::kPhysicalLimit - base.value)};
    for (uint32_t i = 0; i < usable_count_; ++i) {
        check(range.end() <= usable_[i].base || usable_[i].end() <= range.base,
              "two ranges of memory overlap");
    }
    check(usable_count_ < kMaxRanges, "more ranges of memory than there is room for");
    usable_[usable_count_++] = range;
}

void BootMemory::add_reserved(PhysicalAddress base, uint64_t size) {
    check(size <= UINT64_MAX - base.value, "a reserved range wraps around");
    check(reserved_count_ < kMaxRanges, "more reserved ranges than there is room for");
    reserved_[reserved_count_++] = {base, size};
}

// The lowest reserved range that has a part in [from, to), or null.
const FrameRange* BootMemory::first_reserved(PhysicalAddress from, PhysicalAddress to) const {
    const FrameRange* first = nullptr;
    for (uint32_t i = 0; i < reserved_count_; ++i) {
        const FrameRange& range = reserved_[i];
        if (range.size == 0 || range.base >= to || range.end() <= from) continue;
        if (first == nullptr || range.base < first->base) first = &range;
    }
    return first;
}

// Calls `use(begin, end)` for every run of whole frames that are usable and not reserved.
template <typename Use>
void BootMemory::for_each_free_stretch(Use use) const {
    for (uint32_t i = 0; i < usable_count_; ++i) {
        PhysicalAddress from = usable_[i].base;
        const PhysicalAddress to = usable_[i].end();
        while (from < to) {
            const FrameRange* next = first_reserved(from, to);
            const PhysicalAddress stop = next == nullptr ? to : std::max(from, next->base);
            const PhysicalAddress begin{round_up_to_page(from.value)};
            const PhysicalAddress end{stop.value & ~(kPageSize - 1)};
            if (begin < end) use(begin, end);
            if (next == nullptr) break;
            from = next->end();
        }
    }
}

PhysicalAddress BootMemory::find_room(uint64_t bytes) const {
    PhysicalAddress found{};
    for_each_free_stretch([&](PhysicalAddress begin, PhysicalAddress end) {
        if (found.value == 0 && end.value - begin.value >= bytes) found = begin;
    });
    check(found.value != 0, "no room for the description of memory");
    return found;
}

void init_frames(const BootMemory& memory) {
    check(memory.usable_count_ != 0, "there is no memory");
    PhysicalAddress lowest{UINT64_MAX};
    PhysicalAddress highest{};
    for (uint32_t i = 0; i < memory.usable_count_; ++i) {
        const FrameRange& range = memory.usable_[i];
        lowest = std::min(lowest, PhysicalAddress{range.base.value & ~(kPageSize - 1)});
        highest = std::max(highest, PhysicalAddress{round_up_to_page(range.end().value)});
        total += range.size / kPageSize;
    }
    const uint64_t bytes = Buddies::state_bytes(lowest, highest);
    const PhysicalAddress states = memory.find_room(bytes);
    buddies.init(lowest, highest, static_cast<uint8_t*>(arch::physical_pointer(states)));

    BootMemory rest = memory;
    rest.add_reserved(states, round_up_to_page(bytes));
    rest.for_each_free_stretch(
        [](PhysicalAddress begin, PhysicalAddress end) { buddies.add(begin, end); });
}

// ---- Single frames ------------------------------------------------------------------------------

Result<PhysicalAddress> allocate_frame() {
    FrameCache& cache = caches.local();
    uint32_t count = cache.count.load(std::memory_order_relaxed);
    if (count == 0) {
        if (!refill(cache)) return Fail(Error::NOMEM);
        count = cache.count.load(std::memory_order_relaxed);
    }
    const PhysicalAddress frame = cache.frames[--count];
    cache.count.store(count, std::memory_order_relaxed);
    note_cached(frame, false);
    return frame;
}

Result<PhysicalAddress> allocate_zeroed_frame() {
    const PhysicalAddress frame = TRY(allocate_frame());
    std::memset(arch::physical_pointer(frame), 0, kPageSize);
    return frame;
}

void free_frame(PhysicalAddress frame) {
    if constexpr (kDebugBuild) {
        check(!buddies.is_free(frame), "freed a frame that is free");
        poison(frame, 0);
    }
    FrameCache& cache = caches.local();
    if (cache.count.load(std::memory_order_relaxed) == FrameCache::kCapacity) {
        drain(cache, FrameCache::kCapacity - FrameCache::kBatch);
    }
    const uint32_t count = cache.count.load(std::memory_order_relaxed);
    note_cached(frame, true);
    cache.frames[count] = frame;
    cache.count.store(count + 1, std::memory_order_relaxed);
}

// ---- Several users ------------------------------------------------------------------------------

uint32_t frame_users(PhysicalAddress frame) { return buddies.users(frame); }
uint64_t extra_frame_users() { return extra_users.load(std::memory_order_relaxed); }

bool share_frame(PhysicalAddress frame) {
    if (!buddies.add_user(frame)) return false;
    extra_users.fetch_add(1, std::memory_order_relaxed);
    return true;
}

void put_frame(PhysicalAddress frame) {
    if (buddies.drop_user(frame)) {
        extra_users.fetch_sub(1, std::memory_order_relaxed);
    } else {
        free_frame(frame);
    }
}

// ---- Blocks -------------------------------------------------------------------------------------

// Frames in this hart's cache may be what a block lacks to be whole.
Result<PhysicalAddress> allocate_block(uint32_t order) {
    check(order <= kMaxOrder, "no block is that large");
    if (auto block = allocate_uncached(order)) return block;
    drain(caches.local(), 0);
    return allocate_uncached(order);
}

void free_block(PhysicalAddress block, uint32_t order) {
    LockGuard guard(lock);
    if constexpr (kDebugBuild) {
        check(!buddies.is_free(block), "freed a block that is free");
        poison(block, order);
    }
    buddies.free(block, order);
}

// ---- Counts -------------------------------------------------------------------------------------

uint64_t total_frames() { return total; }

// Frames move between caches and buddies under the lock, so none is counted twice or missed.
uint64_t free_frames_count() {
    LockGuard guard(lock);
    uint64_t count = buddies.free_frames();
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        count += caches.at({i}).count.load(std::memory_order_relaxed);
    }
    return count;
}

}  // namespace mm
