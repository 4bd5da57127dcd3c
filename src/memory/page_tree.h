// The pages of a memory object: a tree of tables, 512 entries each, as deep as the object's size
// asks for, so that what was never touched costs nothing. Tables and pages are page frames, each
// charged to the object's charge while it exists. A page may be one of a clone's too; then each
// object that has it is charged for it. Guarded by the object's lock.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/types.h"
#include "object/budget.h"

// What the tree knows of a page: its frame, if it has one, and whether that is about to be
// replaced.
class PageEntry {
  public:
    bool present() const { return word_ != 0; }
    PhysicalAddress frame() const { return {word_ & ~kMoving}; }
    bool moving() const { return (word_ & kMoving) != 0; }
    void set_moving(bool moving) { word_ = frame().value | (moving ? kMoving : 0); }
    // Instead of the frame that was there, which is the caller's now.
    void replace(PhysicalAddress frame) { word_ = frame.value; }

  private:
    friend class PageTree;
    static constexpr uint64_t kMoving = 1;

    uint64_t word_ = 0;
};

class PageTree {
  public:
    static constexpr uint32_t kBitsPerLevel = 9;
    static constexpr uint32_t kMaxDepth = 4;
    static constexpr uint64_t kMaxPages = uint64_t{1} << (kBitsPerLevel * kMaxDepth);
    static constexpr uint64_t kPagesPerTable = uint64_t{1} << kBitsPerLevel;

    // For pages 0 to `pages` - 1; at most kMaxPages.
    explicit PageTree(uint64_t pages) : limit_(pages), depth_(depth_for(pages)) {}

    // Makes room for pages below `pages`. -EDQUOT, -ENOMEM.
    Status extend(uint64_t pages, Charge& charge);

    // The entry of a page that has a frame, or null.
    PageEntry* find(uint64_t page);
    // The same, with a new frame (zeroed) if there is none and the tables on the way; all charged
    // to `charge`. -EDQUOT, -ENOMEM: tables that were added stay, for the next attempt.
    Result<PageEntry*> find_or_allocate(uint64_t page, Charge& charge);
    // Takes over a frame for a page that has none. -EDQUOT, -ENOMEM.
    Status insert(uint64_t page, PhysicalAddress frame, Charge& charge);
    // The next page from `page` on that has a frame. Looks at one table: where there is none in it,
    // or there is no table, the page at which to go on.
    uint64_t next_present(uint64_t page);

    // Goes on freeing the pages from `first` on, and the tables that begin there: those below
    // `cursor`, which begins as `first`, are done. So many steps of up to 600 instructions; false
    // when nothing is left.
    bool free_some(uint64_t first, uint64_t& cursor, uint32_t steps, Charge& charge);

    uint64_t pages() const { return page_count_; }

  private:
    static constexpr uint32_t kEntries = 1u << kBitsPerLevel;
    static constexpr uint64_t kPassedPerStep = 32;  // entries, when freeing

    struct Table {
        PageEntry entries[kEntries];  // tables, or pages at the lowest level
    };
    static uint32_t depth_for(uint64_t pages);
    static Table& table_at(PageEntry entry);
    static PageEntry& entry_for(PageEntry table, uint64_t page, uint32_t level);
    static Status allocate(PageEntry& entry, Charge& charge);
    Result<PageEntry*> make_way(uint64_t page, Charge& charge);

    struct Place {
        PageEntry* entry;
        uint32_t level;  // of what the entry stands for: 0 a page, above that a table
    };
    Place find_down_to(uint64_t page, uint32_t level);
    uint32_t free_in_table(PageEntry table, uint64_t& cursor, uint32_t steps, Charge& charge);
    void free_passed_tables(uint64_t first, uint64_t last, uint64_t cursor, Charge& charge);

    uint64_t limit_;  // pages that there can be
    uint32_t depth_;  // levels of tables; at least 1
    PageEntry root_{};
    uint64_t page_count_ = 0;
    uint64_t lowest_ = UINT64_MAX;  // no page below it ever had a table
};
