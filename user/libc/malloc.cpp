// malloc and its relatives. Chunks lie side by side, each knows its size and whether the one below
// is in use, so that a free chunk joins its neighbours at once:
//
//     | previous_size | head | payload ...          | previous_size | head | ...
//     ^ chunk                ^ what malloc returns  ^ next chunk
//
// `previous_size` belongs to the chunk below while that is in use: 8 bytes are lost per chunk.
// Free chunks are kept in bins by size: exact below 1 KiB, then 8 per power of two. A request takes
// from the first bin in which every chunk is large enough, found by bitmap, so allocating and
// freeing take constant time. Small chunks first wait aside, unjoined, for a request of their very
// size; they join their neighbours before the heap grows. Large blocks are mapped by themselves,
// and go back to the kernel when they are freed. One mutex guards everything.
#include <errno.h>
#include <kairos/kairos.h>
#include <kairos/sync.h>
#include <malloc.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "../lib/fatal.hpp"
#include "heap.hpp"

using kairos::internal::fatal;

namespace {

constexpr size_t kUnit = 16;  // of sizes and addresses
constexpr size_t kInUse = 1;
constexpr size_t kBelowInUse = 2;
constexpr size_t kMapped = 4;  // by itself; previous_size is then the distance to the mapping
constexpr size_t kAside = 8;   // freed, but not joined yet: in use for its neighbours

struct Chunk {
    size_t previous_size;  // of the chunk below, if that is free
    size_t head;           // size and flags
    // Of a free chunk: its neighbours in the bin.
    Chunk* next;
    Chunk* previous;

    size_t size() const { return head & ~(kUnit - 1); }
    bool is(size_t flag) const { return (head & flag) != 0; }
    std::byte* payload() { return reinterpret_cast<std::byte*>(&next); }
    Chunk* at(size_t offset) {
        return reinterpret_cast<Chunk*>(reinterpret_cast<std::byte*>(this) + offset);
    }
    Chunk* above() { return at(size()); }
    Chunk* below() { return at(-previous_size); }
    static Chunk* of(void* payload) {
        return reinterpret_cast<Chunk*>(static_cast<std::byte*>(payload) - kHeader);
    }

    static constexpr size_t kHeader = 2 * sizeof(size_t);
};

constexpr size_t kSmallest = sizeof(Chunk);
constexpr size_t kLargest = PTRDIFF_MAX - 64 * size_t{1024};
constexpr size_t kMappedFrom = 128 * size_t{1024};
constexpr size_t kGrowth = 4 * KAIROS_PAGE_SIZE;  // the least that the heap grows by

constexpr size_t kLargestAside = 512;

constexpr size_t kExactBins = 64;
constexpr size_t kBinsPerDoubling = 8;
constexpr size_t kBins = 256;  // for chunks of up to 16 GiB, more than the heap ever has

constexpr size_t round_up(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

// The chunk size for `size` bytes, which is at most kLargest.
constexpr size_t chunk_size(size_t size) {
    return std::max(kSmallest, round_up(size + sizeof(size_t), kUnit));
}

constexpr size_t doubling_of(size_t units) {
    return 63 - static_cast<size_t>(__builtin_clzl(units));
}

// The bin that a chunk of `size` is kept in.
constexpr size_t bin_of(size_t size) {
    const size_t units = size / kUnit;
    if (units < kExactBins) return units;
    const size_t doubling = doubling_of(units);
    const size_t step = (units >> (doubling - 3)) % kBinsPerDoubling;
    return std::min(kExactBins + (doubling - 6) * kBinsPerDoubling + step, kBins - 1);
}

// The least size, from `size` up, with which a bin begins.
constexpr size_t bin_size(size_t size) {
    const size_t units = size / kUnit;
    if (units < kExactBins) return size;
    return round_up(size, (size_t{1} << (doubling_of(units) - 3)) * kUnit);
}

class Heap {
  public:
    void* allocate(size_t size, size_t alignment);
    void free(Chunk& chunk);
    bool resize(Chunk& chunk, size_t size);

    // Of the whole heap, and of what is free in it.
    size_t total() const { return total_; }
    size_t free_bytes() const { return free_; }

  private:
    Chunk* take_aside(size_t size);
    Chunk* take(size_t size);
    Chunk* grow(size_t size);
    void join_all();
    void join(Chunk& chunk);
    void put(Chunk& chunk);
    void remove(Chunk& chunk);
    void split(Chunk& chunk, size_t size);
    Chunk& cut_front(Chunk& chunk, size_t alignment);

    Chunk* aside_[kLargestAside / kUnit + 1] = {};
    Chunk* bins_[kBins] = {};
    uint64_t filled_[kBins / 64] = {};
    std::byte* end_ = nullptr;  // of the memory that is ours; the fence lies just below
    size_t total_ = 0;
    size_t free_ = 0;
};

void Heap::put(Chunk& chunk) {
    const size_t bin = bin_of(chunk.size());
    chunk.previous = nullptr;
    chunk.next = bins_[bin];
    if (chunk.next != nullptr) chunk.next->previous = &chunk;
    bins_[bin] = &chunk;
    filled_[bin / 64] |= uint64_t{1} << bin % 64;
    free_ += chunk.size();
}

void Heap::remove(Chunk& chunk) {
    if (chunk.next != nullptr) chunk.next->previous = chunk.previous;
    if (chunk.previous != nullptr) {
        chunk.previous->next = chunk.next;
    } else {
        const size_t bin = bin_of(chunk.size());
        bins_[bin] = chunk.next;
        if (chunk.next == nullptr) filled_[bin / 64] &= ~(uint64_t{1} << bin % 64);
    }
    free_ -= chunk.size();
}

// Takes a chunk of at least `size` out of the bins; null if there is none. It counts as used.
Chunk* Heap::take(size_t size) {
    const size_t from = bin_of(bin_size(size));  // from here up every chunk is large enough
    uint64_t candidates = filled_[from / 64] & (~uint64_t{0} << from % 64);
    size_t word = from / 64;
    while (candidates == 0) {
        if (++word == std::size(filled_)) return nullptr;
        candidates = filled_[word];
    }
    Chunk* chunk = bins_[word * 64 + static_cast<size_t>(__builtin_ctzl(candidates))];
    remove(*chunk);
    chunk->head |= kInUse;
    chunk->above()->head |= kBelowInUse;
    return chunk;
}

// Adds memory for a chunk of `size`, and takes it. A fence, the header of a chunk of no size that
// is always in use, ends each stretch of memory.
Chunk* Heap::grow(size_t size) {
    const size_t least = bin_size(size) + Chunk::kHeader + kUnit;
    const size_t more = std::max(kGrowth, round_up(least, KAIROS_PAGE_SIZE));
    std::byte* const begin = kairos::internal::extend_heap(more);
    if (begin == nullptr) return nullptr;
    Chunk* chunk;
    if (begin == end_) {
        chunk = reinterpret_cast<Chunk*>(begin - Chunk::kHeader);  // the old fence
        chunk->head = more | kInUse | (chunk->head & kBelowInUse);
        end_ = begin + more;
    } else {
        // The program has called sbrk itself, perhaps with odd sizes.
        const auto address = reinterpret_cast<uintptr_t>(begin);
        const size_t lost = round_up(address, kUnit) - address;
        const size_t room = (more - lost) / kUnit * kUnit;
        chunk = reinterpret_cast<Chunk*>(begin + lost);
        chunk->head = (room - Chunk::kHeader) | kInUse | kBelowInUse;
        end_ = begin + lost + room;
    }
    total_ += more;
    chunk->above()->head = kInUse | kBelowInUse;
    join(*chunk);
    return take(size);
}

void Heap::free(Chunk& chunk) {
    if ((chunk.head & (kInUse | kAside)) != kInUse || !chunk.above()->is(kBelowInUse)) {
        fatal("free of memory that is not allocated");
    }
    const size_t size = chunk.size();
    if (size > kLargestAside) {
        join(chunk);
        return;
    }
    chunk.head |= kAside;
    chunk.next = aside_[size / kUnit];
    aside_[size / kUnit] = &chunk;
    free_ += size;
}

Chunk* Heap::take_aside(size_t size) {
    if (size > kLargestAside) return nullptr;
    Chunk* chunk = aside_[size / kUnit];
    if (chunk == nullptr) return nullptr;
    aside_[size / kUnit] = chunk->next;
    chunk->head &= ~kAside;
    free_ -= size;
    return chunk;
}

void Heap::join_all() {
    for (size_t size = kSmallest; size <= kLargestAside; size += kUnit) {
        while (Chunk* chunk = take_aside(size)) join(*chunk);
    }
}

// Makes a chunk in use a free one, together with what is free beside it.
void Heap::join(Chunk& freed) {
    Chunk* chunk = &freed;
    size_t size = chunk->size();
    if (Chunk& above = *chunk->above(); !above.is(kInUse)) {
        remove(above);
        size += above.size();
    }
    if (!chunk->is(kBelowInUse)) {
        chunk = chunk->below();
        remove(*chunk);
        size += chunk->size();
    }
    chunk->head = size | kBelowInUse;  // nothing free lies beside what is free
    Chunk& above = *chunk->above();
    above.previous_size = size;
    above.head &= ~kBelowInUse;
    put(*chunk);
}

// Frees what a chunk in use has beyond `size`, if that is enough for a chunk.
void Heap::split(Chunk& chunk, size_t size) {
    const size_t rest = chunk.size() - size;
    if (rest < kSmallest) return;
    chunk.head -= rest;
    Chunk& upper = *chunk.above();
    upper.head = rest | kInUse | kBelowInUse;
    join(upper);
}

// Frees the front of a chunk in use, so that its payload is aligned. It was made large enough.
Chunk& Heap::cut_front(Chunk& chunk, size_t alignment) {
    const auto payload = reinterpret_cast<uintptr_t>(chunk.payload());
    size_t front = round_up(payload, alignment) - payload;
    if (front == 0) return chunk;
    while (front < kSmallest) front += alignment;
    Chunk& upper = *chunk.at(front);
    upper.head = (chunk.size() - front) | kInUse | kBelowInUse;
    chunk.head -= upper.size();
    join(chunk);
    return upper;
}

void* Heap::allocate(size_t size, size_t alignment) {
    const size_t wanted = chunk_size(size);
    if (alignment <= kUnit) {
        if (Chunk* chunk = take_aside(wanted)) return chunk->payload();
    }
    const size_t slack = alignment > kUnit ? alignment + kSmallest : 0;
    Chunk* chunk = take(wanted + slack);
    if (chunk == nullptr) {
        join_all();
        chunk = take(wanted + slack);
    }
    if (chunk == nullptr) chunk = grow(wanted + slack);
    if (chunk == nullptr) return nullptr;
    if (slack != 0) chunk = &cut_front(*chunk, alignment);
    split(*chunk, wanted);
    return chunk->payload();
}

// Makes a chunk large enough for `size` bytes where it is; false if it cannot be.
bool Heap::resize(Chunk& chunk, size_t size) {
    const size_t wanted = chunk_size(size);
    if (chunk.size() < wanted) {
        Chunk& above = *chunk.above();
        if (above.is(kInUse) || chunk.size() + above.size() < wanted) return false;
        remove(above);
        chunk.head += above.size();
        chunk.above()->head |= kBelowInUse;
    }
    split(chunk, wanted);
    return true;
}

constinit Heap heap;
constinit kairos_mutex lock = KAIROS_MUTEX_INIT;

class Locked {
  public:
    Locked() { kairos_mutex_lock(&lock); }
    ~Locked() { kairos_mutex_unlock(&lock); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
};

// ---- Blocks that are mapped by themselves -------------------------------------------------------

// `alignment` is at most a page.
void* allocate_mapped(size_t size, size_t alignment) {
    const size_t distance = std::max(Chunk::kHeader, alignment) - Chunk::kHeader;
    const size_t length = round_up(distance + Chunk::kHeader + size, KAIROS_PAGE_SIZE);
    std::byte* const block = kairos::internal::map_block(length);
    if (block == nullptr) return nullptr;
    auto* chunk = reinterpret_cast<Chunk*>(block + distance);
    chunk->previous_size = distance;
    chunk->head = (length - distance) | kMapped | kInUse;
    return chunk->payload();
}

void free_mapped(Chunk& chunk) {
    auto* const block = reinterpret_cast<std::byte*>(&chunk) - chunk.previous_size;
    kairos::internal::unmap_block(block, chunk.previous_size + chunk.size());
}

// ---- Both ---------------------------------------------------------------------------------------

void* allocate(size_t size, size_t alignment) {
    void* memory = nullptr;
    if (size <= kLargest && alignment <= kLargest - size) {
        if (size >= kMappedFrom && alignment <= KAIROS_PAGE_SIZE) {
            memory = allocate_mapped(size, alignment);
        } else {
            Locked locked;
            memory = heap.allocate(size, alignment);
        }
    }
    if (memory == nullptr) errno = ENOMEM;
    return memory;
}

size_t usable_size(Chunk& chunk) {
    const size_t borrowed = chunk.is(kMapped) ? 0 : sizeof(size_t);
    return chunk.size() - Chunk::kHeader + borrowed;
}

bool resize(Chunk& chunk, size_t size) {
    if (chunk.is(kMapped)) {
        // Kept unless it has become much too large.
        return size <= usable_size(chunk) && size >= usable_size(chunk) / 2;
    }
    if (size >= kMappedFrom) return false;
    Locked locked;
    return heap.resize(chunk, size);
}

bool is_power_of_two(size_t value) { return value != 0 && (value & (value - 1)) == 0; }

}  // namespace

extern "C" {

void* malloc(size_t size) { return allocate(size, kUnit); }

void free(void* memory) {
    if (memory == nullptr) return;
    Chunk& chunk = *Chunk::of(memory);
    if (chunk.is(kMapped)) {
        free_mapped(chunk);
        return;
    }
    Locked locked;
    heap.free(chunk);
}

void* calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return nullptr;
    }
    void* memory = allocate(bytes, kUnit);
    // What is freshly mapped is zero already.
    if (memory != nullptr && !Chunk::of(memory)->is(kMapped)) std::memset(memory, 0, bytes);
    return memory;
}

void* realloc(void* memory, size_t size) {
    if (memory == nullptr) return malloc(size);
    Chunk& chunk = *Chunk::of(memory);
    if (size <= kLargest && resize(chunk, size)) return memory;
    void* moved = malloc(size);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, memory, std::min(size, usable_size(chunk)));
    free(memory);
    return moved;
}

void* memalign(size_t alignment, size_t size) {
    if (is_power_of_two(alignment)) return allocate(size, std::max(alignment, kUnit));
    errno = EINVAL;
    return nullptr;
}

void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** memory, size_t alignment, size_t size) {
    if (!is_power_of_two(alignment) || alignment < sizeof(void*)) return EINVAL;
    const int saved = errno;
    void* allocated = allocate(size, std::max(alignment, kUnit));
    errno = saved;
    if (allocated == nullptr) return ENOMEM;
    *memory = allocated;
    return 0;
}

size_t malloc_usable_size(void* memory) {
    return memory != nullptr ? usable_size(*Chunk::of(memory)) : 0;
}

// Without the blocks that are mapped by themselves.
struct mallinfo mallinfo() {
    Locked locked;
    struct mallinfo info = {};
    info.arena = heap.total();
    info.fordblks = heap.free_bytes();
    info.uordblks = info.arena - info.fordblks;
    return info;
}

}  // extern "C"
