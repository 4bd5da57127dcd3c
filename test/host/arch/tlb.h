// Each hart's TLB, modelled: it keeps every translation that an access has used until it is told to
// forget it. Accesses happen with the TLB locked, so when a flush returns, none that used the old
// translation is still under way: what a real hart's fence promises.
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "arch/paging.h"

namespace hosted {

struct TlbEntry {
    PhysicalAddress frame;
    arch::PageFlags flags;
};

class Tlb {
  public:
    using Key = std::pair<uint64_t, uint64_t>;  // address space, page

    std::mutex lock;
    std::map<Key, TlbEntry> entries;  // guarded by the lock

    void forget(uint64_t satp, VirtualAddress start, uint64_t pages);
};

Tlb& tlb_of(uint32_t hart);

// What the page table says of a page now. (paging.cpp)
std::optional<TlbEntry> walk(uint64_t satp, VirtualAddress page);
// All harts with a bit in `harts` forget. (tlb.cpp)
void flush(uint64_t satp, uint32_t harts, VirtualAddress start, uint64_t pages);

}  // namespace hosted
