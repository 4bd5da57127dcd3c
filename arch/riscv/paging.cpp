// Page tables of user address spaces. A table is one frame of 512 entries; the root's upper half
// is the kernel's and is never touched here. Entries that are not used are zero, so a table is
// empty when all of its words are.
//
// Mapping where nothing was mapped needs no flush: a hart that remembered the nothing faults, and
// the way back from a fault flushes the address (trap.cpp).
#include "arch/paging.h"

#include "asid.h"
#include "base/assert.h"
#include "kernel_map.h"
#include "layout.h"
#include "offsets.h"
#include "pte.h"
#include "tlb.h"

namespace arch {
namespace {

constexpr unsigned kDirectoryLevel = 1;  // its entries are page tables or 2 MiB pages

static_assert(SATP_ASID_BITS == 16);
uint16_t asid_of(uint64_t satp) { return static_cast<uint16_t>(satp >> SATP_ASID_SHIFT); }

bool is_empty(PhysicalAddress table) {
    const uint64_t* entries = direct_map(table);
    for (unsigned i = 0; i < pte::kEntries; i += 4) {
        if ((entries[i] | entries[i + 1] | entries[i + 2] | entries[i + 3]) != 0) return false;
    }
    return true;
}

struct Leaf {
    uint64_t* entry;
    unsigned level;
};

// What maps `address`; entry is null if nothing does.
Leaf find_leaf(PhysicalAddress root, VirtualAddress address) {
    if (address.value >= kUserEnd) return {nullptr, 0};
    uint64_t* table = direct_map(root);
    for (unsigned level = pte::kRootLevel;; --level) {
        uint64_t& entry = table[pte::index_of(address, level)];
        if (pte::is_leaf(entry)) return {&entry, level};
        if (entry == 0) return {nullptr, 0};
        table = direct_map(pte::frame_of(entry));
    }
}

Translation translation_of(uint64_t entry, unsigned level, VirtualAddress address) {
    const uint64_t offset = address.value % pte::bytes_of_level(level);
    return {.address = pte::frame_of(entry) + offset,
            .flags = pte::flags_of(entry),
            .level = static_cast<PageLevel>(level)};
}

// Empty tables on their way out, linked through their first entries: a link's low bits are zero, so
// a hart that still walks through the table finds nothing valid there. They are freed after the
// flush that ends such walks.
class RemovedTables {
  public:
    void take(uint64_t& entry) {
        const PhysicalAddress table = pte::frame_of(entry);
        pte::set(entry, 0);
        pte::set(*direct_map(table), first_.value);
        first_ = table;
    }
    bool any() const { return first_.value != 0; }
    void free_all(TableSource& source) {
        while (any()) {
            const PhysicalAddress table = first_;
            first_ = {*direct_map(table)};
            source.free_table(table);
        }
    }

  private:
    PhysicalAddress first_{};
};

}  // namespace

Status PageTable::create(TableSource& source) {
    root_ = TRY(source.allocate_table());
    share_kernel_half(direct_map(root_));
    satp_ = uint64_t{SATP_SV39} << 60 | uint64_t{allocate_asid()} << SATP_ASID_SHIFT |
            root_.value >> kPageShift;
    return {};
}

// If a table frame is wanting half-way, the tables made so far stay, empty, for prune or destroy.
Status PageTable::map(VirtualAddress page, PhysicalAddress frame, PageFlags flags, PageLevel level,
                      TableSource& source) {
    const auto target = static_cast<unsigned>(level);
    check(page.value < kUserEnd && page.value % bytes_of(level) == 0 &&
              frame.value % bytes_of(level) == 0,
          "mapping outside user space or not aligned");
    uint64_t* table = direct_map(root_);
    for (unsigned above = pte::kRootLevel; above > target; --above) {
        uint64_t& entry = table[pte::index_of(page, above)];
        if (entry == 0) {
            pte::set(entry, pte::to_table(TRY(source.allocate_table())));
            if (above == pte::kRootLevel) ++directories_;
        }
        check(pte::is_table(entry), "mapping inside a large page");
        table = direct_map(pte::frame_of(entry));
    }
    uint64_t& entry = table[pte::index_of(page, target)];
    if (pte::is_table(entry) && is_empty(pte::frame_of(entry))) {  // left over from 4 KiB pages
        RemovedTables removed;
        removed.take(entry);
        flush(page, kAllPages);
        removed.free_all(source);
    }
    check(entry == 0, "mapping over a mapping");
    pte::set(entry, pte::to_user_page(frame, flags));
    return {};
}

void PageTable::protect(VirtualAddress page, PageFlags flags) {
    const Leaf leaf = find_leaf(root_, page);
    if (leaf.entry == nullptr) return;
    pte::set(*leaf.entry, pte::to_user_page(pte::frame_of(*leaf.entry), flags));
}

std::optional<Translation> PageTable::unmap(VirtualAddress page) {
    const Leaf leaf = find_leaf(root_, page);
    if (leaf.entry == nullptr) return std::nullopt;
    const Translation was = translation_of(*leaf.entry, leaf.level, page);
    pte::set(*leaf.entry, 0);
    return was;
}

std::optional<Translation> PageTable::lookup(VirtualAddress address) const {
    const Leaf leaf = find_leaf(root_, address);
    if (leaf.entry == nullptr) return std::nullopt;
    return translation_of(*leaf.entry, leaf.level, address);
}

// Down to the table where the way ends, then along it: most entries are passed at the cost of a
// look.
VirtualAddress PageTable::next_mapped(VirtualAddress from, VirtualAddress end) const {
    while (from < end) {
        const uint64_t* table = direct_map(root_);
        unsigned level = pte::kRootLevel;
        unsigned index = pte::index_of(from, level);
        while (pte::is_table(table[index])) {
            table = direct_map(pte::frame_of(table[index]));
            index = pte::index_of(from, --level);
        }
        if (table[index] != 0) return from;
        const uint64_t step = pte::bytes_of_level(level);
        from = {from.value & ~(step - 1)};
        do {
            from = from + step;
        } while (++index < pte::kEntries && table[index] == 0 && from < end);
    }
    return end;
}

void PageTable::flush(VirtualAddress start, uint64_t pages) const {
    flush_asid(asid_of(satp_), harts_, start, pages);
}

void PageTable::prune(VirtualAddress address, Prune extent, TableSource& source) {
    uint64_t& above = direct_map(root_)[pte::index_of(address, pte::kRootLevel)];
    if (above == 0) return;
    uint64_t& entry = direct_map(pte::frame_of(above))[pte::index_of(address, kDirectoryLevel)];
    RemovedTables removed;
    const auto remove = [&](uint64_t& table) {
        debug_check(is_empty(pte::frame_of(table)), "a table that is in use is given back");
        removed.take(table);
    };
    if (pte::is_table(entry)) remove(entry);
    if (extent == Prune::kDirectory) {
        remove(above);
        --directories_;
    }
    if (!removed.any()) return;
    flush(address, kAllPages);
    removed.free_all(source);
}

void PageTable::destroy(TableSource& source) {
    if (satp_ == 0) return;
    flush({kUserBegin}, kAllPages);
    uint64_t* root = direct_map(root_);
    for (unsigned i = 0; directories_ != 0; ++i) {
        if (root[i] == 0) continue;
        --directories_;
        const uint64_t* directory = direct_map(pte::frame_of(root[i]));
        for (unsigned j = 0; j < pte::kEntries; ++j) {
            if (pte::is_table(directory[j])) source.free_table(pte::frame_of(directory[j]));
        }
        source.free_table(pte::frame_of(root[i]));
    }
    source.free_table(root_);
    free_asid(asid_of(satp_));
    root_ = {};
    satp_ = 0;
    harts_.store(0, std::memory_order_relaxed);
}

}  // namespace arch
