// Page tables as an ordinary map from pages to frames. The tables of a real machine exist only as
// frames that are asked for and given back where Sv39 would do it, so that charges and shortage
// come out the same. Stricter than the real one where it can be: what must not be still mapped, or
// in use, panics.
#include "arch/paging.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "base/assert.h"
#include "hosted/machine.h"
#include "sync/hart.h"
#include "tlb.h"

namespace {

constexpr uint64_t kAllPages = UINT64_MAX;
constexpr uint32_t kLevels = 2;  // of tables below the root: 0 holds pages, 1 holds tables of pages
constexpr uint64_t span_of(uint32_t level) { return uint64_t{1} << (21 + 9 * level); }

struct Entry {
    PhysicalAddress frame;
    arch::PageFlags flags;
    arch::PageLevel level;
};

struct Table {
    std::mutex lock;                                      // harts walk it while others change it
    std::map<uint64_t, Entry> pages;                      // by address
    std::map<uint64_t, PhysicalAddress> tables[kLevels];  // by the address that each begins at

    // The entry that maps `address`, or end().
    std::map<uint64_t, Entry>::iterator find(uint64_t address) {
        auto after = pages.upper_bound(address);
        if (after == pages.begin()) return pages.end();
        --after;
        return address - after->first < bytes_of(after->second.level) ? after : pages.end();
    }
    bool holds_page_in(uint64_t start, uint64_t end) {
        const auto first = pages.lower_bound(start);
        return first != pages.end() && first->first < end;
    }
    bool holds_table_in(uint32_t level, uint64_t start, uint64_t end) {
        const auto first = tables[level].lower_bound(start);
        return first != tables[level].end() && first->first < end;
    }
    bool is_empty(uint32_t level, uint64_t start) {
        const uint64_t end = start + span_of(level);
        return !holds_page_in(start, end) && (level == 0 || !holds_table_in(level - 1, start, end));
    }
};

Table& table_of(uint64_t satp) { return *reinterpret_cast<Table*>(satp); }

}  // namespace

std::optional<hosted::TlbEntry> hosted::walk(uint64_t satp, VirtualAddress page) {
    Table& table = table_of(satp);
    const std::lock_guard guard(table.lock);
    const auto found = table.find(page.value);
    if (found == table.pages.end()) return std::nullopt;
    return TlbEntry{found->second.frame + (page.value - found->first), found->second.flags};
}

namespace arch {

Status PageTable::create(TableSource& source) {
    root_ = TRY(source.allocate_table());
    satp_ = reinterpret_cast<uint64_t>(new Table);
    return {};
}

Status PageTable::map(VirtualAddress page, PhysicalAddress frame, PageFlags flags, PageLevel level,
                      TableSource& source) {
    check(page.value < kUserEnd && page.value % bytes_of(level) == 0 &&
              frame.value % bytes_of(level) == 0,
          "mapping outside user space or not aligned");
    Table& table = table_of(satp_);
    const auto lowest = static_cast<uint32_t>(level);
    for (uint32_t above = kLevels; above-- > lowest;) {
        const uint64_t start = page.value & ~(span_of(above) - 1);
        if (table.tables[above].contains(start)) continue;
        const PhysicalAddress made = TRY(source.allocate_table());
        const std::lock_guard guard(table.lock);
        table.tables[above][start] = made;
    }
    if (level == PageLevel::k2MiB) prune(page, Prune::kTable, source);
    const std::lock_guard guard(table.lock);
    check(table.find(page.value) == table.pages.end() &&
              !table.holds_page_in(page.value, page.value + bytes_of(level)),
          "mapping over a mapping");
    table.pages[page.value] = {frame, flags, level};
    return {};
}

void PageTable::protect(VirtualAddress page, PageFlags flags) {
    Table& table = table_of(satp_);
    const std::lock_guard guard(table.lock);
    const auto found = table.find(page.value);
    if (found != table.pages.end()) found->second.flags = flags;
}

std::optional<Translation> PageTable::unmap(VirtualAddress page) {
    Table& table = table_of(satp_);
    const std::lock_guard guard(table.lock);
    const auto found = table.find(page.value);
    if (found == table.pages.end()) return std::nullopt;
    const Entry entry = found->second;
    const uint64_t offset = page.value - found->first;
    table.pages.erase(found);
    return Translation{entry.frame + offset, entry.flags, entry.level};
}

std::optional<Translation> PageTable::lookup(VirtualAddress address) const {
    Table& table = table_of(satp_);
    const std::lock_guard guard(table.lock);
    const auto found = table.find(address.value);
    if (found == table.pages.end()) return std::nullopt;
    const Entry& entry = found->second;
    return Translation{entry.frame + (address.value - found->first), entry.flags, entry.level};
}

VirtualAddress PageTable::next_mapped(VirtualAddress from, VirtualAddress end) const {
    Table& table = table_of(satp_);
    const std::lock_guard guard(table.lock);
    if (from >= end) return end;
    if (table.find(from.value) != table.pages.end()) return from;
    const auto next = table.pages.lower_bound(from.value);
    return next == table.pages.end() ? end : std::min(end, VirtualAddress{next->first});
}

void PageTable::flush(VirtualAddress start, uint64_t pages) const {
    hosted::flush(satp_, harts_.load(), start, pages);
}

void PageTable::prune(VirtualAddress address, Prune extent, TableSource& source) {
    Table& table = table_of(satp_);
    std::vector<PhysicalAddress> removed;
    {
        const std::lock_guard guard(table.lock);
        for (uint32_t level = 0; level < (extent == Prune::kDirectory ? kLevels : 1); ++level) {
            const auto at = table.tables[level].find(address.value & ~(span_of(level) - 1));
            if (at == table.tables[level].end()) continue;
            check(table.is_empty(level, at->first), "a table that is in use is given back");
            removed.push_back(at->second);
            table.tables[level].erase(at);
        }
    }
    if (removed.empty()) return;
    flush(address, kAllPages);
    for (const PhysicalAddress frame : removed) source.free_table(frame);
}

void PageTable::destroy(TableSource& source) {
    if (satp_ == 0) return;
    flush({kUserBegin}, kAllPages);
    Table& table = table_of(satp_);
    check(table.pages.empty(), "destroyed a page table that maps something");
    check(table.tables[0].empty() && table.tables[1].empty(),
          "destroying a page table is left more to do than a bounded piece");
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        check(Harts::at({i}).block.satp != satp_, "destroyed a page table that a hart runs in");
    }
    source.free_table(root_);
    delete &table;
    root_ = {};
    satp_ = 0;
    harts_.store(0);
}

}  // namespace arch
