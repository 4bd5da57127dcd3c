// Flushes: this hart's by itself, the other harts' through the firmware, which interrupts them
// whatever they do (locks may be held on both sides) and returns when they have done it.
#include "tlb.h"

#include "live_harts.h"
#include "sbi.h"
#include "sync/hart.h"

namespace arch {
namespace {

// Beyond this many pages, forgetting everything costs less than forgetting them one by one.
constexpr uint64_t kPagesOneByOne = 32;

// Bytes as the firmware takes them: all ones for everything.
uint64_t fence_bytes(uint64_t pages) {
    return pages > kPagesOneByOne ? UINT64_MAX : pages * kPageSize;
}
uint64_t fence_start(VirtualAddress start, uint64_t pages) {
    return pages > kPagesOneByOne ? 0 : start.value;
}

}  // namespace

void flush_asid(uint64_t asid, const std::atomic<uint32_t>& harts, VirtualAddress start,
                uint64_t pages) {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // R2
    const uint32_t members = harts.load(std::memory_order_relaxed);
    if ((members & hart_block()->bit) != 0) {
        if (pages > kPagesOneByOne) {
            flush_local_asid(asid);
        } else {
            for (uint64_t i = 0; i < pages; ++i) {
                flush_local_page_of_asid(start + i * kPageSize, asid);
            }
        }
    }
    for_each_hart_set(members & ~hart_block()->bit, [&](sbi::HartSet set) {
        sbi::remote_fence_asid(set, fence_start(start, pages), fence_bytes(pages), asid);
    });
}

void flush_everywhere() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    flush_local_all();
    for_each_hart_set(live_harts() & ~hart_block()->bit,
                      [&](sbi::HartSet set) { sbi::remote_fence_all(set, 0, UINT64_MAX); });
}

}  // namespace arch
