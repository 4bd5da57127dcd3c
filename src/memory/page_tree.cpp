#include "memory/page_tree.h"

#include <algorithm>

#include "arch/paging.h"
#include "mm/frames.h"

namespace {
// Pages that an entry stands for: 1 at level 0.
constexpr uint64_t pages_at(uint32_t level) {
    return uint64_t{1} << (level * PageTree::kBitsPerLevel);
}
// The end of the part of the tree around `page` that an entry of `level` stands for.
constexpr uint64_t end_of(uint64_t page, uint32_t level) {
    return (page / pages_at(level) + 1) * pages_at(level);
}
}  // namespace

uint32_t PageTree::depth_for(uint64_t pages) {
    check(pages <= kMaxPages, "a memory object larger than its tree can be");
    uint32_t depth = 1;
    while (pages > pages_at(depth)) ++depth;
    return depth;
}

PageTree::Table& PageTree::table_at(PageEntry entry) {
    return *static_cast<Table*>(arch::physical_pointer(entry.frame()));
}

// The entry of `table` that leads to `page`; it stands for a table or page of `level`.
PageEntry& PageTree::entry_for(PageEntry table, uint64_t page, uint32_t level) {
    return table_at(table).entries[page / pages_at(level) % kEntries];
}

Status PageTree::allocate(PageEntry& entry, Charge& charge) {
    TRY(charge.grow(kPageSize));
    auto frame = mm::allocate_zeroed_frame();
    if (!frame) {
        charge.shrink(kPageSize);
        return Fail(frame.error());
    }
    entry.replace(*frame);
    return {};
}

// What there is hangs below a new root, as its first part.
Status PageTree::extend(uint64_t pages, Charge& charge) {
    for (const uint32_t depth = depth_for(pages); depth_ < depth; ++depth_) {
        if (!root_.present()) continue;
        PageEntry above;
        TRY(allocate(above, charge));
        table_at(above).entries[0] = root_;
        root_ = above;
    }
    limit_ = std::max(limit_, pages);
    return {};
}

// The entry on the way to `page` at `level`, or the one above it at which the way ends.
PageTree::Place PageTree::find_down_to(uint64_t page, uint32_t level) {
    Place place{&root_, depth_};
    while (place.level > level && place.entry->present()) {
        --place.level;
        place.entry = &entry_for(*place.entry, page, place.level);
    }
    return place;
}

PageEntry* PageTree::find(uint64_t page) {
    const Place place = find_down_to(page, 0);
    return place.entry->present() ? place.entry : nullptr;
}

// The entry of a page, with the tables that lead to it.
Result<PageEntry*> PageTree::make_way(uint64_t page, Charge& charge) {
    lowest_ = std::min(lowest_, page);
    PageEntry* entry = &root_;
    for (uint32_t level = depth_; level > 0; --level) {
        if (!entry->present()) TRY(allocate(*entry, charge));
        entry = &entry_for(*entry, page, level - 1);
    }
    return entry;
}

Result<PageEntry*> PageTree::find_or_allocate(uint64_t page, Charge& charge) {
    PageEntry* entry = TRY(make_way(page, charge));
    if (!entry->present()) {
        TRY(allocate(*entry, charge));
        ++page_count_;
    }
    return entry;
}

Status PageTree::insert(uint64_t page, PhysicalAddress frame, Charge& charge) {
    PageEntry* entry = TRY(make_way(page, charge));
    check(!entry->present(), "a page gets a second frame");
    TRY(charge.grow(kPageSize));
    entry->replace(frame);
    ++page_count_;
    return {};
}

uint64_t PageTree::next_present(uint64_t page) {
    const Place place = find_down_to(page, 1);
    if (!place.entry->present()) return end_of(page, place.level);
    const uint64_t end = end_of(page, 1);
    while (page < end && !entry_for(*place.entry, page, 0).present()) ++page;
    return page;
}

// ---- Freeing ------------------------------------------------------------------------------------

// From the cursor to the end of the table, or of the steps; how many were taken.
uint32_t PageTree::free_in_table(PageEntry table, uint64_t& cursor, uint32_t steps,
                                 Charge& charge) {
    const uint64_t end = std::min(end_of(cursor, 1), limit_);
    PageEntry* entry = &entry_for(table, cursor, 0);
    uint32_t taken = 0;
    while (cursor < end && taken < steps) {
        if (page_count_ == 0) {
            cursor = end;
            break;
        }
        ++taken;
        const PageEntry* stop = entry + std::min(end - cursor, kPassedPerStep);
        const PageEntry* first = entry;
        while (entry != stop && !entry->present()) ++entry;
        cursor += static_cast<uint64_t>(entry - first);
        if (entry == stop) continue;
        mm::put_frame(entry->frame());
        charge.shrink(kPageSize);
        *entry++ = {};
        ++cursor;
        --page_count_;
    }
    return taken;
}

// Tables around `last` that the cursor has passed.
void PageTree::free_passed_tables(uint64_t first, uint64_t last, uint64_t cursor, Charge& charge) {
    for (uint32_t level = 1; level <= depth_; ++level) {
        const uint64_t begin = last / pages_at(level) * pages_at(level);
        if (begin < first || cursor < std::min(begin + pages_at(level), limit_)) return;
        PageEntry* entry = find_down_to(last, level).entry;
        if (!entry->present()) continue;
        mm::free_frame(entry->frame());
        charge.shrink(kPageSize);
        *entry = {};
    }
}

bool PageTree::free_some(uint64_t first, uint64_t& cursor, uint32_t steps, Charge& charge) {
    cursor = std::max(cursor, lowest_);
    for (uint32_t taken = 0; taken < steps;) {
        if (cursor >= limit_ || !root_.present()) return false;
        const Place place = find_down_to(cursor, 1);
        const uint64_t last = cursor;
        if (!place.entry->present()) {
            cursor = std::min(end_of(cursor, place.level), limit_);
        } else {
            taken += free_in_table(*place.entry, cursor, steps - taken, charge);
        }
        ++taken;
        free_passed_tables(first, last, cursor, charge);
    }
    return true;
}
