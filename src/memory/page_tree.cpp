#include "memory/page_tree.h"

#include "arch/paging.h"
#include "mm/frames.h"

uint32_t PageTree::depth_for(uint64_t pages) {
    uint32_t depth = 1;
    while (depth < kMaxDepth && pages > uint64_t{1} << (depth * kBitsPerLevel)) ++depth;
    return depth;
}

PageTree::Table& PageTree::table_at(PhysicalAddress address) {
    return *static_cast<Table*>(arch::physical_pointer(address));
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

PhysicalAddress PageTree::find(uint64_t page) const {
    PhysicalAddress at = root_;
    for (uint32_t level = depth_; level > 0 && at.value != 0; --level) {
        at = table_at(at).entries[entry_of(page, level - 1)];
    }
    return at;
}

Result<PhysicalAddress> PageTree::find_or_allocate(uint64_t page, Charge& charge) {
    PhysicalAddress* entry = &root_;
    for (uint32_t level = depth_; level > 0; --level) {
        if (entry->value == 0) TRY(allocate(*entry, charge));
        entry = &table_at(*entry).entries[entry_of(page, level - 1)];
    }
    if (entry->value == 0) {
        TRY(allocate(*entry, charge));
        ++page_count_;
    }
    return *entry;
}

// Goes down to the last entry that is used, and frees what it finds there; a table that it finds
// empty goes itself. Each round starts at the root, so nothing is remembered in between.
bool PageTree::free_some(uint32_t limit) {
    for (uint32_t freed = 0; freed < limit; ++freed) {
        if (root_.value == 0) return false;
        PhysicalAddress* entry = &root_;
        for (uint32_t level = depth_; level > 0; --level) {
            Table& table = table_at(*entry);
            uint32_t last = kEntries;
            while (last > 0 && table.entries[last - 1].value == 0) --last;
            if (last == 0) break;
            entry = &table.entries[last - 1];
        }
        mm::free_frame(*entry);
        *entry = {};
    }
    return true;
}
