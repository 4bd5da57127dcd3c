// Memory from the kernel for the heap; see the header.
#include "heap.hpp"

#include <errno.h>
#include <kairos/kairos.h>
#include <kairos/sync.h>
#include <unistd.h>

#include <kairos/handle.hpp>

namespace kairos::internal {

namespace {

// Addresses, not memory: pages are committed as the heap grows.
constexpr size_t kHeapSize = size_t{1} << 30;

// One memory object, mapped as a whole when the heap is first used.
struct Heap {
    kairos_mutex lock = KAIROS_MUTEX_INIT;
    kairos_handle_t memory = KAIROS_HANDLE_INVALID;
    std::byte* begin = nullptr;
    size_t used = 0;
    size_t committed = 0;
};
constinit Heap heap;

// Maps a new memory object whole, where the kernel finds room: low addresses are left to programs
// that want something at a fixed place. Its handle goes to `memory`.
std::byte* map_new(size_t size, Handle& memory) {
    kairos_handle_t value = KAIROS_HANDLE_INVALID;
    if (kairos_memory_create(size, 0, &value) < 0) return nullptr;
    memory.reset(value);
    void* address = nullptr;
    const kairos_status_t status =
        kairos_map(kairos_self_aspace(), value, 0, &address, size, KPROT_READ | KPROT_WRITE);
    return status == 0 ? static_cast<std::byte*>(address) : nullptr;
}

// Has the kernel provide all pages of [from, to), page boundaries, which are zeros anyway.
bool commit(kairos_handle_t memory, size_t from, size_t to) {
    constexpr char kZero = 0;
    for (size_t at = from; at < to; at += KAIROS_PAGE_SIZE) {
        if (kairos_memory_write(memory, at, &kZero, sizeof(kZero)) < 0) return false;
    }
    return true;
}

size_t round_up(size_t size) {
    return (size + KAIROS_PAGE_SIZE - 1) / KAIROS_PAGE_SIZE * KAIROS_PAGE_SIZE;
}

// Moves the end of the heap; null if it cannot be. Called with the lock.
std::byte* move_end(ptrdiff_t by) {
    if (heap.begin == nullptr) {
        Handle memory;
        heap.begin = map_new(kHeapSize, memory);
        if (heap.begin == nullptr) return nullptr;
        heap.memory = memory.release();
    }
    const auto room = static_cast<ptrdiff_t>(kHeapSize - heap.used);
    if (by > room || by < -static_cast<ptrdiff_t>(heap.used)) return nullptr;
    std::byte* const old_end = heap.begin + heap.used;
    const size_t used = heap.used + static_cast<size_t>(by);
    if (round_up(used) > heap.committed) {
        if (!commit(heap.memory, heap.committed, round_up(used))) return nullptr;
        heap.committed = round_up(used);
    }
    heap.used = used;
    return old_end;
}

std::byte* move_end_locked(ptrdiff_t by) {
    kairos_mutex_lock(&heap.lock);
    std::byte* const old_end = move_end(by);
    kairos_mutex_unlock(&heap.lock);
    return old_end;
}

}  // namespace

std::byte* extend_heap(size_t size) {
    return size <= kHeapSize ? move_end_locked(static_cast<ptrdiff_t>(size)) : nullptr;
}

std::byte* map_block(size_t size) {
    Handle memory;
    std::byte* block = map_new(size, memory);
    if (block == nullptr) return nullptr;
    if (commit(memory.get(), 0, size)) return block;
    unmap_block(block, size);
    return nullptr;
}

void unmap_block(std::byte* block, size_t size) { kairos_unmap(kairos_self_aspace(), block, size); }

}  // namespace kairos::internal

// For programs that manage memory themselves. What is given back is not zeroed and not returned to
// the kernel.
extern "C" void* sbrk(ptrdiff_t increment) {
    std::byte* const old_end = kairos::internal::move_end_locked(increment);
    if (old_end != nullptr) return old_end;
    errno = ENOMEM;
    return reinterpret_cast<void*>(-1);
}
