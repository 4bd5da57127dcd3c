#include "memory/address_space.h"

#include <algorithm>
#include <utility>

#include "memory/randomness.h"
#include "mm/frames.h"
#include "object/object_storage.h"
#include "sync/preemption.h"

namespace {

// What is done under one hold of the lock: pages changed, and records looked at.
constexpr uint32_t kPagesPerHold = 64;
constexpr uint32_t kRecordsPerHold = 64;

// Looking for pages is bounded by one page table of 4 KiB pages at a time.
constexpr uint64_t kTableSpan = arch::bytes_of(arch::PageLevel::k2MiB);

constexpr VirtualAddress table_begin(VirtualAddress address) {
    return {address.value & ~(kTableSpan - 1)};
}
// The address of no 2 MiB.
constexpr VirtualAddress kNoTable{UINT64_MAX};
constexpr VirtualAddress directory_begin(VirtualAddress address) {
    return {address.value & ~(arch::kDirectoryBytes - 1)};
}

// Between two mappings that the kernel places lie 1 to so many free pages.
constexpr uint64_t kMaxGapPages = 16;

Status check_pages(VirtualAddress start, uint64_t length) {
    const bool whole = start.page_aligned() && length % kPageSize == 0 && length != 0;
    if (!whole || !arch::user_range(start, length)) return Fail(Error::INVAL);
    return {};
}

// From `at` to the next address at which the mapping could be made of pages of 2 MiB, if it is of
// memory that has any.
uint64_t large_page_gap(const Mapping& mapping, VirtualAddress at) {
    const MemoryObject& memory = mapping.memory();
    if (!memory.is_fixed() || mapping.length < kTableSpan) return 0;
    const PhysicalAddress first = memory.fixed_base() + mapping.view->range().offset;
    return (first.value - at.value) % kTableSpan;
}

// The part of a mapping from an address on that one hold of the lock may deal with, and whether
// pages of it may be in the page table.
struct Stretch {
    VirtualAddress stop;
    bool touched;
};

Stretch next_stretch(const Mapping& mapping, VirtualAddress from, VirtualAddress end) {
    end = std::min(end, mapping.end());
    if (from >= mapping.touched_end) return {end, false};
    if (from < mapping.touched_begin) return {std::min(end, mapping.touched_begin), false};
    return {std::min({end, mapping.touched_end, table_begin(from) + kTableSpan}), true};
}

}  // namespace

AddressSpace::AddressSpace(Budget& budget) : Object(kType, nullptr), budget_(budget) {
    constexpr uint64_t kChoices = (arch::kUserEnd - RoomSearch::kBegin.value) / kPageSize;
    next_choice_ = RoomSearch::kBegin + random_bits() % kChoices * kPageSize;
}

Result<Ref<AddressSpace>> AddressSpace::create(Budget& budget) {
    Ref<AddressSpace> space = TRY(ObjectStorage<AddressSpace>::create(budget, budget));
    TRY(space->table_.create(*space));
    return space;
}

void AddressSpace::free_memory() { ObjectStorage<AddressSpace>::free(*this); }

bool AddressSpace::dismantle() {
    if (retire_step()) return false;
    LockGuard guard(lock_);
    table_.destroy(*this);
    budget_ = nullptr;
    return true;
}

Result<PhysicalAddress> AddressSpace::allocate_table() {
    TRY(budget_->take(kPageSize));
    auto frame = mm::allocate_zeroed_frame();
    if (!frame) budget_->put(kPageSize);
    return frame;
}

void AddressSpace::free_table(PhysicalAddress table) {
    mm::free_frame(table);
    budget_->put(kPageSize);
}

// ---- Mapping ------------------------------------------------------------------------------------

Result<VirtualAddress> AddressSpace::map(MemoryObject& memory, uint64_t offset,
                                         VirtualAddress wanted, uint64_t length,
                                         Protection protection, Protection ceiling,
                                         MappedThrough through) {
    if (length == 0 || length % kPageSize != 0 || offset % kPageSize != 0) {
        return Fail(Error::INVAL);
    }
    if (wanted.value != 0) TRY(check_pages(wanted, length));
    if (memory.is_read_only()) ceiling.write = false;
    if (!ceiling.covers(protection) || !protection.is_allowed()) return Fail(Error::ACCES);
    if (offset > memory.size() || length > memory.size() - offset) return Fail(Error::INVAL);

    MappingRecord record = TRY(MappingRecord::create(*budget_));
    record->length = length;
    record->view = TRY(View::create(*budget_, *this, memory, {offset, length}, ceiling));
    record->protection = protection;
    if (through.table != nullptr) {
        TRY(through.table->attach(through.handle, memory, *record->view));
    }
    return wanted.value != 0 ? place_at(record, wanted) : place_anywhere(record);
}

// A view that was revoked before this is not mapped; one that is revoked afterwards is found.
Status AddressSpace::check_placing(const MappingRecord& record) {
    if (retired_) return Fail(Error::SRCH);
    if (record->view->revoked()) return Fail(Error::BADF);
    return {};
}

VirtualAddress AddressSpace::place(MappingRecord& record, VirtualAddress at) {
    record->start = at;
    record->view->set_start(at);
    mappings_.insert(record.leak());
    return at;
}

Result<VirtualAddress> AddressSpace::place_at(MappingRecord& record, VirtualAddress wanted) {
    LockGuard guard(lock_);
    TRY(check_placing(record));
    if (mappings_.first_in(wanted, wanted + record->length) != nullptr) return Fail(Error::EXIST);
    return place(record, wanted);
}

// Beginning at a random place, each choice follows the last one at a random distance: hard to
// guess, with a guard page between neighbours, and not so far apart that every mapping needs page
// tables of its own.
Result<VirtualAddress> AddressSpace::place_anywhere(MappingRecord& record) {
    const uint64_t gap = (1 + random_bits() % kMaxGapPages) * kPageSize;
    VirtualAddress from;
    {
        LockGuard guard(lock_);
        from = next_choice_;
    }
    from = from + large_page_gap(*record.operator->(), from);
    for (RoomSearch search(from, record->length);; preemption_point()) {
        LockGuard guard(lock_);
        TRY(check_placing(record));
        const RoomSearch::Outcome outcome = search.step(mappings_, kRecordsPerHold);
        if (outcome == RoomSearch::Outcome::kNoRoom) return Fail(Error::NOMEM);
        if (outcome == RoomSearch::Outcome::kGoOn) continue;
        next_choice_ = search.place() + record->length + gap;
        return place(record, search.place());
    }
}

// Makes `border` a border between mappings, if it lies inside one. -EDQUOT, -ENOMEM: nothing has
// changed.
Status AddressSpace::cut_at(VirtualAddress border) {
    MappingRecord upper;
    while (true) {
        {
            LockGuard guard(lock_);
            Mapping* mapping = mappings_.at(border);
            if (mapping == nullptr || mapping->start == border) return {};
            if (upper) {
                mappings_.split(*mapping, border, upper.leak());
                return {};
            }
        }
        upper = TRY(MappingRecord::create(*budget_));
    }
}

// ---- Unmapping ----------------------------------------------------------------------------------

// A page of 2 MiB that is to change in a part only goes as a whole; what is still wanted comes back
// in small pages, when it is touched.
void AddressSpace::drop_large(VirtualAddress address) {
    (void)table_.unmap(address);
    table_.flush(table_begin(address), kTableSpan / kPageSize);
}

// change_pages, for what lies within one page of 2 MiB.
template <typename Change>
VirtualAddress AddressSpace::change_large(VirtualAddress from, VirtualAddress stop, Change change) {
    if (from != table_begin(from) || stop - from != kTableSpan) {
        drop_large(from);
    } else {
        change(from);
        table_.flush(from, kTableSpan / kPageSize);
    }
    return stop;
}

// Calls `change(page)` for a bounded number of pages of a mapping that are in the page table
// between `from` and `stop`, which lie in the same 2 MiB, and flushes them. Returns how far it got.
template <typename Change>
VirtualAddress AddressSpace::change_pages(const Mapping& mapping, VirtualAddress from,
                                          VirtualAddress stop, Change change) {
    const VirtualAddress first = table_.next_mapped(from, stop);
    if (first < stop && mapping.memory().is_fixed() &&
        table_.lookup(first)->level == arch::PageLevel::k2MiB) {
        return change_large(from, stop, change);
    }
    VirtualAddress at = first;
    for (uint32_t pages = 0; at < stop && pages < kPagesPerHold; ++pages) {
        change(at);
        at = table_.next_mapped(at + kPageSize, stop);
    }
    if (first < stop) table_.flush(first, (at - first) / kPageSize);
    return at;
}

// Takes a bounded part away from the beginning of `mapping`, which begins below `end`; the record
// goes to `gone` when nothing is left of it. Returns where the part ended.
VirtualAddress AddressSpace::unmap_piece(Mapping& mapping, VirtualAddress end,
                                         MappingRecord& gone) {
    const VirtualAddress start = mapping.start;
    const Stretch stretch = next_stretch(mapping, start, end);
    VirtualAddress reached = stretch.stop;
    if (stretch.touched) {
        reached = change_pages(mapping, start, stretch.stop,
                               [&](VirtualAddress page) { (void)table_.unmap(page); });
    }
    if (reached == mapping.end()) {
        mappings_.remove(mapping);
        gone = MappingRecord(mapping, *budget_);
    } else {
        MappingSet::cut_off_front(mapping, reached);
    }
    // In between lie only tables that this mapping never touched, and that whoever was there before
    // has given back.
    prune_around(start);
    if (table_begin({reached.value - 1}) != table_begin(start)) prune_around({reached.value - 1});
    return reached;
}

// Called whenever a mapping retreats from an address: addresses without mappings have no tables,
// but for the 2 MiB that became idle last. What is mapped next is likely to come there.
void AddressSpace::prune_around(VirtualAddress address) {
    const VirtualAddress begin = table_begin(address);
    if (begin == idle_table_ || mappings_.first_in(begin, begin + kTableSpan) != nullptr) return;
    prune_idle_table(begin);
}

void AddressSpace::prune_idle_table(VirtualAddress next) {
    const VirtualAddress was = std::exchange(idle_table_, next);
    if (was == kNoTable || mappings_.first_in(was, was + kTableSpan) != nullptr) return;
    const VirtualAddress directory = directory_begin(was);
    const VirtualAddress directory_end = directory + arch::kDirectoryBytes;
    const bool in_use = mappings_.first_in(directory, directory_end) != nullptr ||
                        directory_begin(next) == directory;
    table_.prune(was, in_use ? arch::PageTable::Prune::kTable : arch::PageTable::Prune::kDirectory,
                 *this);
}

// A mapping that lies across the place reached so far was made after that place was free, so all of
// it is newer than what is unmapped here.
Status AddressSpace::unmap(VirtualAddress start, uint64_t length) {
    TRY(check_pages(start, length));
    TRY(cut_at(start));
    const VirtualAddress end = start + length;
    for (VirtualAddress at = start; at < end;) {
        {
            MappingRecord gone;
            LockGuard guard(lock_);
            Mapping* mapping = mappings_.from(at);
            if (mapping == nullptr || mapping->start >= end) break;
            at = unmap_piece(*mapping, end, gone);
        }
        if (at < end) preemption_point();
    }
    return {};
}

void AddressSpace::unmap_view(const View& view) {
    for (VirtualAddress at{};; preemption_point()) {
        MappingRecord gone;
        LockGuard guard(lock_);
        if (view.start().value == 0) return;  // it will not be placed any more
        at = std::max(at, view.start());
        const VirtualAddress end = view.end();
        for (uint32_t passed = 0; passed < kRecordsPerHold; ++passed) {
            Mapping* mapping = mappings_.first_in(at, end);
            if (mapping == nullptr) return;
            at = mapping->end();
            if (mapping->view.get() != &view) continue;
            at = unmap_piece(*mapping, mapping->end(), gone);
            break;
        }
    }
}

bool AddressSpace::retire_step() {
    MappingRecord gone;
    LockGuard guard(lock_);
    retired_ = true;
    Mapping* mapping = mappings_.from({0});
    if (mapping == nullptr) {
        prune_idle_table(kNoTable);
        return false;
    }
    unmap_piece(*mapping, mapping->end(), gone);
    return true;
}

// ---- Protection ---------------------------------------------------------------------------------

Status AddressSpace::check_protect(VirtualAddress start, VirtualAddress end,
                                   Protection protection) {
    for (VirtualAddress at = start; at < end;) {
        {
            LockGuard guard(lock_);
            for (uint32_t passed = 0; at < end && passed < kRecordsPerHold; ++passed) {
                const Mapping* mapping = mappings_.at(at);
                if (mapping == nullptr) return Fail(Error::INVAL);
                if (!mapping->view->ceiling().covers(protection)) return Fail(Error::ACCES);
                at = mapping->end();
            }
        }
        if (at < end) preemption_point();
    }
    return {};
}

// Brings a bounded part of the page table in line with the record. Returns where the part ended.
VirtualAddress AddressSpace::protect_piece(Mapping& mapping, VirtualAddress from) {
    const Stretch stretch = next_stretch(mapping, from, mapping.end());
    if (!stretch.touched) return stretch.stop;
    return change_pages(mapping, from, stretch.stop, [&](VirtualAddress page) {
        arch::PageFlags flags = mapping.flags();
        if (flags.write) flags.write = is_own(mapping, page);
        table_.protect(page, flags);
    });
}

// Whether what is shown at `page` is not shared with a clone.
bool AddressSpace::is_own(const Mapping& mapping, VirtualAddress page) {
    const auto shown = mapping.memory().page(mapping.offset_of(page) / kPageSize);
    return shown.ok() && shown.value().writable;
}

// Does the next part of a protect; returns where it ended. A record is changed when its beginning
// is reached, its pages follow: of two that protect the same range at once, the one that came later
// to the record has its way with all pages. A mapping that another thread has put here since the
// range was checked, and that does not fit the request, is passed over.
VirtualAddress AddressSpace::protect_next(VirtualAddress at, VirtualAddress start,
                                          VirtualAddress end, Protection protection) {
    Mapping* mapping = mappings_.first_in(at, end);
    if (mapping == nullptr) return end;
    const bool inside = mapping->start >= start && mapping->end() <= end;
    if (!inside || !mapping->view->ceiling().covers(protection)) return mapping->end();
    if (at <= mapping->start) mapping->protection = protection;
    return protect_piece(*mapping, std::max(at, mapping->start));
}

Status AddressSpace::protect(VirtualAddress start, uint64_t length, Protection protection) {
    TRY(check_pages(start, length));
    if (!protection.is_allowed()) return Fail(Error::ACCES);
    const VirtualAddress end = start + length;
    TRY(check_protect(start, end, protection));
    TRY(cut_at(start));
    TRY(cut_at(end));
    for (VirtualAddress at = start; at < end;) {
        {
            LockGuard guard(lock_);
            at = protect_next(at, start, end, protection);
        }
        if (at < end) preemption_point();
    }
    return {};
}

// ---- When memory changes under its views --------------------------------------------------------

// Does a bounded part of a change to the pages of a view in the page table, between two addresses.
// Returns where it got to.
template <typename Change>
VirtualAddress AddressSpace::change_view_piece(const View& view, VirtualAddress at,
                                               VirtualAddress end, Change change) {
    LockGuard guard(lock_);
    Mapping* mapping = mappings_.first_in(at, end);
    if (mapping == nullptr) return end;
    if (mapping->view.get() != &view) return mapping->end();
    at = std::max(at, mapping->start);
    const Stretch stretch = next_stretch(*mapping, at, end);
    return stretch.touched ? change_pages(*mapping, at, stretch.stop, change) : stretch.stop;
}

// What is not placed yet will come to what is already as it shall be.
template <typename Change>
void AddressSpace::change_view(const View& view, MemoryRange part, Change change) {
    const VirtualAddress start = [&] {
        LockGuard guard(lock_);
        return view.start();
    }();
    const uint64_t first = view.range().offset;
    const uint64_t begin = std::max(part.offset, first);
    const uint64_t end = std::min(part.offset + part.length, first + view.length());
    if (start.value == 0 || begin >= end) return;
    const VirtualAddress stop = start + (end - first);
    for (VirtualAddress at = start + (begin - first); at < stop;) {
        at = change_view_piece(view, at, stop, change);
        if (at < stop) preemption_point();
    }
}

void AddressSpace::forget_pages(const View& view, MemoryRange part) {
    change_view(view, part, [&](VirtualAddress page) { (void)table_.unmap(page); });
}

void AddressSpace::write_protect(const View& view, MemoryRange part) {
    change_view(view, part, [&](VirtualAddress page) {
        arch::PageFlags flags = table_.lookup(page)->flags;
        flags.write = false;
        table_.protect(page, flags);
    });
}

void AddressSpace::forget_page(const View& view, uint64_t index) {
    const MemoryRange& range = view.range();
    const uint64_t offset = index * kPageSize;
    if (offset < range.offset || offset - range.offset >= range.length) return;
    LockGuard guard(lock_);
    if (view.start().value == 0) return;
    const VirtualAddress page = view.start() + (offset - range.offset);
    const Mapping* mapping = mappings_.at(page);
    if (mapping == nullptr || mapping->view.get() != &view) return;
    if (table_.unmap(page)) table_.flush(page, 1);
}
