#include "memory/address_space.h"

#include <algorithm>
#include <cstring>

#include "arch/time.h"
#include "mm/frames.h"
#include "mm/object_cache.h"
#include "object/object_storage.h"
#include "sync/preemption.h"

namespace {

constinit mm::ObjectCache<Mapping> mapping_cache;

// Pages changed under one hold of the lock.
constexpr uint32_t kPagesPerHold = 64;

// Addresses that the kernel chooses lie above this; fixed ones are usually below.
constexpr uint64_t kChoiceBegin = uint64_t{1} << 32;
constexpr int kRandomTries = 8;

arch::PageFlags flags_of(const Mapping& mapping) {
    // The hardware knows no memory that can be written and not read.
    return {.read = mapping.protection.read || mapping.protection.write,
            .write = mapping.protection.write,
            .execute = mapping.protection.execute,
            .device = mapping.memory->is_device()};
}

bool allows(Protection protection, arch::Access access) {
    switch (access) {
        case arch::Access::kRead:
            return protection.read || protection.write;
        case arch::Access::kWrite:
            return protection.write;
        default:
            return protection.execute;
    }
}

}  // namespace

AddressSpace::AddressSpace(Budget& budget)
    : Object(kType, nullptr), budget_(budget), random_(arch::now().nanoseconds | 1) {}

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

Result<Mapping*> AddressSpace::allocate_mapping() {
    TRY(budget_->take(sizeof(Mapping)));
    if (void* cell = mapping_cache.allocate()) return new (cell) Mapping;
    budget_->put(sizeof(Mapping));
    return Fail(Error::NOMEM);
}

void AddressSpace::free_mapping(Mapping* mapping) {
    if (mapping == nullptr) return;
    mapping->~Mapping();
    mapping_cache.free(mapping);
    budget_->put(sizeof(Mapping));
}

// ---- Records ------------------------------------------------------------------------------------

Mapping* AddressSpace::mapping_at(VirtualAddress address) const {
    Mapping* mapping = mappings_.at_or_below(address.value);
    return mapping != nullptr && address < mapping->end() ? mapping : nullptr;
}

// The lowest mapping that has a part in [start, end).
Mapping* AddressSpace::first_in(VirtualAddress start, VirtualAddress end) const {
    Mapping* mapping = mapping_at(start);
    if (mapping == nullptr) mapping = mappings_.lower_bound(start.value);
    return mapping != nullptr && mapping->start < end ? mapping : nullptr;
}

// A free range: at random, or, where memory is so full that luck does not find one, the lowest.
// Address 0: none.
VirtualAddress AddressSpace::find_room(uint64_t length) {
    if (length > arch::kUserEnd - kChoiceBegin) return {0};
    const uint64_t choices = (arch::kUserEnd - kChoiceBegin - length) / kPageSize + 1;
    for (int i = 0; i < kRandomTries; ++i) {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 7;
        random_ ^= random_ << 17;
        const VirtualAddress at{kChoiceBegin + random_ % choices * kPageSize};
        if (first_in(at, at + length) == nullptr) return at;
    }
    VirtualAddress at{kChoiceBegin};
    while (at.value <= arch::kUserEnd - length) {
        const Mapping* taken = first_in(at, at + length);
        if (taken == nullptr) return at;
        at = taken->end();
    }
    return {0};
}

// Cuts a mapping in two at `at`, which lies inside it; `spare` becomes the upper part.
void AddressSpace::split(Mapping& mapping, VirtualAddress at, Mapping& spare) {
    const uint64_t lower = at - mapping.start;
    spare.start = at;
    spare.length = mapping.length - lower;
    spare.memory = mapping.memory;
    spare.offset = mapping.offset + lower;
    spare.protection = mapping.protection;
    spare.ceiling = mapping.ceiling;
    mapping.length = lower;
    mappings_.insert(spare);
}

// Makes `at` a border between mappings if it lies inside one, using up the spare record.
void AddressSpace::split_at(VirtualAddress at, Mapping*& spare) {
    Mapping* mapping = mapping_at(at);
    if (mapping == nullptr || mapping->start == at) return;
    split(*mapping, at, *spare);
    spare = nullptr;
}

// ---- Mapping and unmapping ----------------------------------------------------------------------

Result<VirtualAddress> AddressSpace::map(MemoryObject& memory, uint64_t offset,
                                         VirtualAddress wanted, uint64_t length,
                                         Protection protection, Protection ceiling) {
    if (offset > memory.size() || length > memory.size() - offset) return Fail(Error::INVAL);
    Mapping* mapping = TRY(allocate_mapping());
    Error error;
    {
        LockGuard guard(lock_);
        const VirtualAddress at = wanted.value != 0 ? wanted : find_room(length);
        if (retired_) {
            error = Error::SRCH;
        } else if (at.value == 0) {
            error = Error::NOMEM;
        } else if (first_in(at, at + length) != nullptr) {
            error = Error::EXIST;
        } else {
            mapping->start = at;
            mapping->length = length;
            mapping->memory = Ref<MemoryObject>(memory);
            mapping->offset = offset;
            mapping->protection = protection;
            mapping->ceiling = ceiling;
            mappings_.insert(*mapping);
            return at;
        }
    }
    free_mapping(mapping);
    return Fail(error);
}

// Takes a bounded number of pages away from the beginning of `mapping`, which begins in the range
// that ends at `end`. Returns the record once nothing is left of it, to be freed without the lock.
Mapping* AddressSpace::unmap_a_piece(Mapping& mapping, VirtualAddress end) {
    const VirtualAddress stop = std::min(end, mapping.end());
    VirtualAddress at = table_.next_mapped(mapping.start, stop);
    const VirtualAddress first = at;
    for (uint32_t pages = 0; at < stop && pages < kPagesPerHold; ++pages) {
        (void)table_.unmap(at);
        at = table_.next_mapped(at + kPageSize, stop);
    }
    if (first < stop) table_.flush(first, (at - first) / kPageSize);
    const uint64_t gone = at - mapping.start;
    if (gone == mapping.length) {
        mappings_.remove(mapping);
        return &mapping;
    }
    // Its place among the others stays: nobody lies between the old start and the new one.
    mapping.start = at;
    mapping.offset += gone;
    mapping.length -= gone;
    return nullptr;
}

Status AddressSpace::unmap(VirtualAddress start, uint64_t length) {
    const VirtualAddress end = start + length;
    Mapping* spare = TRY(allocate_mapping());
    while (true) {
        Mapping* gone = nullptr;
        {
            LockGuard guard(lock_);
            if (spare != nullptr) split_at(start, spare);
            Mapping* mapping = first_in(start, end);
            if (mapping == nullptr) break;
            gone = unmap_a_piece(*mapping, end);
        }
        free_mapping(gone);
        preemption_point();
    }
    {
        LockGuard guard(lock_);
        table_.prune(start, end, *this);
    }
    free_mapping(spare);
    return {};
}

bool AddressSpace::retire_step() {
    Mapping* gone = nullptr;
    {
        LockGuard guard(lock_);
        retired_ = true;
        Mapping* mapping = mappings_.first();
        if (mapping == nullptr) return false;
        gone = unmap_a_piece(*mapping, mapping->end());
    }
    free_mapping(gone);
    return true;
}

// ---- Protection ---------------------------------------------------------------------------------

Status AddressSpace::check_protect(VirtualAddress start, VirtualAddress end,
                                   Protection protection) const {
    for (VirtualAddress at = start; at < end;) {
        const Mapping* mapping = mapping_at(at);
        if (mapping == nullptr) return Fail(Error::INVAL);
        if (!mapping->ceiling.covers(protection)) return Fail(Error::ACCES);
        at = mapping->end();
    }
    return {};
}

Status AddressSpace::protect(VirtualAddress start, uint64_t length, Protection protection) {
    const VirtualAddress end = start + length;
    Mapping* spares[2] = {TRY(allocate_mapping()), nullptr};
    auto second = allocate_mapping();
    Status status = second ? Status{} : Fail(second.error());
    if (second) {
        spares[1] = *second;
        LockGuard guard(lock_);
        status = check_protect(start, end, protection);
        if (status) {
            split_at(start, spares[0]);
            split_at(end, spares[1]);
            for (Mapping* mapping = first_in(start, end);
                 mapping != nullptr && mapping->start < end; mapping = mappings_.after(*mapping)) {
                mapping->protection = protection;
            }
        }
    }
    for (Mapping* spare : spares) free_mapping(spare);
    if (status) protect_pages(start, end);
    return status;
}

// Brings the page table in line with the records. A page that changes its mapping meanwhile gets
// the flags of the new one.
void AddressSpace::protect_pages(VirtualAddress start, VirtualAddress end) {
    while (true) {
        {
            LockGuard guard(lock_);
            VirtualAddress at = table_.next_mapped(start, end);
            const VirtualAddress first = at;
            for (uint32_t pages = 0; at < end && pages < kPagesPerHold; ++pages) {
                if (const Mapping* mapping = mapping_at(at)) {
                    table_.protect(at, flags_of(*mapping));
                }
                at = table_.next_mapped(at + kPageSize, end);
            }
            if (first >= end) return;
            table_.flush(first, (std::min(at, end) - first) / kPageSize);
            start = at;
        }
        preemption_point();
    }
}

// ---- Access -------------------------------------------------------------------------------------

bool AddressSpace::populate(VirtualAddress address, arch::Access access) {
    const Mapping* mapping = mapping_at(address);
    if (mapping == nullptr || !allows(mapping->protection, access)) return false;
    const VirtualAddress page = address.page();
    // Another hart may have been here first, or be about to change the rights of the page.
    if (table_.lookup(page)) {
        table_.protect(page, flags_of(*mapping));
        table_.flush(page, 1);
        return true;
    }
    const uint64_t index = (page - mapping->start + mapping->offset) / kPageSize;
    const auto frame = mapping->memory->page(index);
    if (!frame.ok()) return false;
    return table_.map(page, frame.value(), flags_of(*mapping), arch::PageLevel::k4KiB, *this).ok();
}

bool AddressSpace::resolve_fault(VirtualAddress address, arch::Access access) {
    if (!arch::user_range(address, 1)) return false;
    LockGuard guard(lock_);
    return populate(address, access);
}

bool AddressSpace::write(VirtualAddress to, const void* from, size_t size) {
    if (!arch::user_range(to, size)) return false;
    for (size_t done = 0; done < size;) {
        const VirtualAddress at = to + done;
        const size_t length = std::min<size_t>(size - done, kPageSize - at.page_offset());
        LockGuard guard(lock_);
        auto found = table_.lookup(at);
        if (!found || !found->flags.write) {
            if (!populate(at, arch::Access::kWrite)) return false;
            found = table_.lookup(at);
        }
        std::memcpy(arch::physical_pointer(found->address), static_cast<const char*>(from) + done,
                    length);
        done += length;
    }
    return true;
}

Result<MemoryPlace> AddressSpace::locate(VirtualAddress address) {
    LockGuard guard(lock_);
    const Mapping* mapping = mapping_at(address);
    if (mapping == nullptr) return Fail(Error::FAULT);
    return MemoryPlace{mapping->memory, address - mapping->start + mapping->offset};
}
