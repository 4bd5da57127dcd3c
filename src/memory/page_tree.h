// The pages of a memory object: a tree of tables, 512 entries each, as deep as the object's size
// asks for, so that what was never touched costs nothing. Nodes are page frames. Guarded by the
// object's lock.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/types.h"
#include "object/budget.h"

class PageTree {
  public:
    explicit PageTree(uint64_t pages) : depth_(depth_for(pages)) {}

    // The frame of a page, or address 0.
    PhysicalAddress find(uint64_t page) const;
    // The same, allocated (zeroed) where there is none, with the tables on the way; all charged to
    // `charge`. -EDQUOT, -ENOMEM.
    Result<PhysicalAddress> find_or_allocate(uint64_t page, Charge& charge);
    // Frees up to `limit` frames from the end; false when nothing is left.
    bool free_some(uint32_t limit);

    uint64_t pages() const { return page_count_; }

  private:
    static constexpr uint32_t kBitsPerLevel = 9;
    static constexpr uint32_t kEntries = 1u << kBitsPerLevel;
    static constexpr uint32_t kMaxDepth = 4;

    struct Table {
        PhysicalAddress entries[kEntries];  // tables, or pages at the lowest level; 0: none
    };
    static uint32_t depth_for(uint64_t pages);
    static Table& table_at(PhysicalAddress address);
    static uint32_t entry_of(uint64_t page, uint32_t level) {
        return (page >> (level * kBitsPerLevel)) & (kEntries - 1);
    }
    static Status allocate(PhysicalAddress& entry, Charge& charge);

    const uint32_t depth_;  // levels of tables; at least 1
    PhysicalAddress root_{};
    uint64_t page_count_ = 0;
};
