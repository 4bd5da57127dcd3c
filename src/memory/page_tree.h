// The pages of a memory object: a tree of tables, 512 entries each, as deep as the object's size
// asks for, so that what was never touched costs nothing. Tables and pages are page frames, each
// charged to the object's charge while it exists. Guarded by the object's lock.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/types.h"
#include "object/budget.h"

class PageTree {
  public:
    static constexpr uint32_t kBitsPerLevel = 9;
    static constexpr uint32_t kMaxDepth = 4;
    static constexpr uint64_t kMaxPages = uint64_t{1} << (kBitsPerLevel * kMaxDepth);

    // For pages 0 to `pages` - 1; at most kMaxPages.
    explicit PageTree(uint64_t pages) : depth_(depth_for(pages)) {}

    // The frame of a page, allocated (zeroed) if there is none, with the tables on the way; all
    // charged to `charge`. -EDQUOT, -ENOMEM: tables that were added stay, for the next attempt.
    Result<PhysicalAddress> find_or_allocate(uint64_t page, Charge& charge);

    // Goes on freeing everything, for so many steps of some 350 instructions; false when nothing is
    // left. Once begun, the tree is not used for anything else.
    bool free_some(uint32_t steps, Charge& charge);

    uint64_t pages() const { return page_count_; }

  private:
    static constexpr uint32_t kEntries = 1u << kBitsPerLevel;

    struct Table {
        PhysicalAddress entries[kEntries];  // tables, or pages at the lowest level; 0: none
    };
    static uint32_t depth_for(uint64_t pages);
    static Table& table_at(PhysicalAddress address);
    static PhysicalAddress& entry_for(PhysicalAddress table, uint64_t page, uint32_t level);
    static Status allocate(PhysicalAddress& entry, Charge& charge);
    static void free(PhysicalAddress& entry, Charge& charge);

    struct Place {
        PhysicalAddress* entry;
        uint32_t level;  // of what the entry stands for: 0 a page, above that a table
    };
    Place find_down_to(uint64_t page, uint32_t level);
    void free_step(Charge& charge);

    const uint32_t depth_;  // levels of tables; at least 1
    PhysicalAddress root_{};
    uint64_t page_count_ = 0;
    uint64_t next_to_free_ = 0;  // pages below this one are freed, and tables that end below it
};
