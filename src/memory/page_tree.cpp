#include "memory/page_tree.h"

#include "arch/paging.h"
#include "mm/frames.h"

namespace {
// Pages that an entry stands for: 1 at level 0.
constexpr uint64_t pages_at(uint32_t level) {
    return uint64_t{1} << (level * PageTree::kBitsPerLevel);
}
}  // namespace

uint32_t PageTree::depth_for(uint64_t pages) {
    check(pages <= kMaxPages, "a memory object larger than its tree can be");
    uint32_t depth = 1;
    while (pages > pages_at(depth)) ++depth;
    return depth;
}

PageTree::Table& PageTree::table_at(PhysicalAddress address) {
    return *static_cast<Table*>(arch::physical_pointer(address));
}

// The entry of `table` that leads to `page`; it stands for a table or page of `level`.
PhysicalAddress& PageTree::entry_for(PhysicalAddress table, uint64_t page, uint32_t level) {
    return table_at(table).entries[page / pages_at(level) % kEntries];
}

Status PageTree::allocate(PhysicalAddress& entry, Charge& charge) {
    TRY(charge.grow(kPageSize));
    auto frame = mm::allocate_zeroed_frame();
    if (!frame) {
        charge.shrink(kPageSize);
        return Fail(frame.error());
    }
    entry = *frame;
    return {};
}

void PageTree::free(PhysicalAddress& entry, Charge& charge) {
    mm::free_frame(entry);
    charge.shrink(kPageSize);
    entry = {};
}

Result<PhysicalAddress> PageTree::find_or_allocate(uint64_t page, Charge& charge) {
    PhysicalAddress* entry = &root_;
    for (uint32_t level = depth_; level > 0; --level) {
        if (entry->value == 0) TRY(allocate(*entry, charge));
        entry = &entry_for(*entry, page, level - 1);
    }
    if (entry->value == 0) {
        TRY(allocate(*entry, charge));
        ++page_count_;
    }
    return *entry;
}

// The entry on the way to `page` at `level`, or the one above it at which the way ends.
PageTree::Place PageTree::find_down_to(uint64_t page, uint32_t level) {
    Place place{&root_, depth_};
    while (place.level > level && place.entry->value != 0) {
        --place.level;
        place.entry = &entry_for(*place.entry, page, place.level);
    }
    return place;
}

bool PageTree::free_some(uint32_t steps, Charge& charge) {
    for (; steps > 0 && root_.value != 0; --steps) free_step(charge);
    return root_.value != 0;
}

// Frees one page, or passes over what is missing in one entry; then frees the tables that end
// there. Where an entry is missing, the page stands at its beginning: whatever lay before it in the
// same table was passed one entry at a time.
void PageTree::free_step(Charge& charge) {
    const Place place = find_down_to(next_to_free_, 0);
    if (place.entry->value != 0) {
        free(*place.entry, charge);
        --page_count_;
    }
    const uint64_t last = next_to_free_;
    next_to_free_ += pages_at(place.level);
    for (uint32_t level = place.level + 1; level <= depth_; ++level) {
        if (next_to_free_ % pages_at(level) != 0) return;
        free(*find_down_to(last, level).entry, charge);
    }
}
