#include "tlb.h"

#include <atomic>
#include <cstring>

#include "arch/entry.h"
#include "hosted/machine.h"
#include "sync/hart.h"

namespace hosted {

std::function<bool(VirtualAddress, arch::Access)> on_page_fault;

namespace {

Tlb tlbs[kMaxHarts];
std::atomic<uint64_t> flushes{0};
std::atomic<uint64_t> pages_flushed{0};

Tlb& own_tlb() { return tlb_of(this_hart().index.value); }

// Words are read and written whole, as by a processor: user programs may race for them.
void move_word(void* place, void* bytes, bool store) {
    std::atomic_ref word(*static_cast<uint64_t*>(place));
    auto& own = *static_cast<uint64_t*>(bytes);
    if (store) {
        word.store(own, std::memory_order_relaxed);
    } else {
        own = word.load(std::memory_order_relaxed);
    }
}

// With a translation that allows the access, does it. False: there is none.
bool access_once(VirtualAddress address, arch::Access access, void* bytes, size_t size) {
    Tlb& tlb = own_tlb();
    const std::lock_guard guard(tlb.lock);
    const uint64_t satp = this_hart().block.satp;
    const Tlb::Key key{satp, address.page().value};
    auto found = tlb.entries.find(key);
    if (found == tlb.entries.end()) {
        const auto entry = satp == 0 ? std::nullopt : walk(satp, address.page());
        if (!entry) return false;
        found = tlb.entries.emplace(key, *entry).first;
    }
    if (!found->second.flags.allows(access)) return false;
    void* place = arch::physical_pointer(found->second.frame + address.page_offset());
    const bool store = access == arch::Access::kWrite;
    if (size == sizeof(uint64_t) && address.value % size == 0) {
        move_word(place, bytes, store);
    } else {
        std::memcpy(store ? place : bytes, store ? bytes : place, size);
    }
    return true;
}

}  // namespace

Tlb& tlb_of(uint32_t hart) { return tlbs[hart]; }

void Tlb::forget(uint64_t satp, VirtualAddress start, uint64_t pages) {
    const std::lock_guard guard(lock);
    const uint64_t end =
        pages > arch::kUserEnd / kPageSize ? UINT64_MAX : start.value + pages * kPageSize;
    // All pages at once are asked for with whatever start.
    const uint64_t begin = end == UINT64_MAX ? 0 : start.value;
    entries.erase(entries.lower_bound({satp, begin}), entries.lower_bound({satp, end}));
}

void flush(uint64_t satp, uint32_t harts, VirtualAddress start, uint64_t pages) {
    flushes.fetch_add(1);
    pages_flushed.fetch_add(std::min(pages, arch::kUserEnd / kPageSize));
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        if ((harts >> i & 1) != 0) tlbs[i].forget(satp, start, pages);
    }
}

FlushCounts flush_counts() { return {flushes.load(), pages_flushed.load()}; }

// A fault that was resolved is tried again, on a hart that has forgotten the page. Others may take
// it away again in between, but not for ever.
bool user_access(VirtualAddress address, arch::Access access, void* bytes, size_t size) {
    constexpr int kMaxFaults = 10'000;
    for (int faults = 0; faults < kMaxFaults; ++faults) {
        if (access_once(address, access, bytes, size)) return true;
        if (!arch::user_range(address, 1) || !resolve_user_fault(address, access)) {
            return false;
        }
        own_tlb().forget(this_hart().block.satp, address.page(), 1);
    }
    panic("a page fault that was resolved comes again and again");
}

bool tlbs_agree(const arch::PageTable& table) {
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        const std::lock_guard guard(tlbs[i].lock);
        for (const auto& [key, entry] : tlbs[i].entries) {
            if (key.first != table.satp()) continue;
            const auto now = walk(key.first, {key.second});
            if (!now || now->frame != entry.frame) return false;
            const bool more = (entry.flags.read && !now->flags.read) ||
                              (entry.flags.write && !now->flags.write) ||
                              (entry.flags.execute && !now->flags.execute);
            if (more) return false;
        }
    }
    return true;
}

uint64_t tlb_entries(const arch::PageTable& table) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        const std::lock_guard guard(tlbs[i].lock);
        for (const auto& [key, entry] : tlbs[i].entries) count += key.first == table.satp();
    }
    return count;
}

bool any_tlb_reaches(PhysicalAddress frame) {
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        const std::lock_guard guard(tlbs[i].lock);
        for (const auto& [key, entry] : tlbs[i].entries) {
            if (entry.frame == frame) return true;
        }
    }
    return false;
}

}  // namespace hosted
