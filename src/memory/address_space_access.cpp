// How memory is reached through an address space: by faults of user mode, and by the kernel's
// copies into it. The page table is filled here, a page at a time.
#include <algorithm>
#include <cstring>

#include "arch/hart.h"
#include "memory/address_space.h"

// Without a flush: where nothing was mapped, there is nothing to forget; and where rights are taken
// away, whoever takes them flushes before that ends. A hart that remembers fewer rights than there
// are faults, comes here, and looks again.
AddressSpace::Access AddressSpace::populate(VirtualAddress address, arch::Access access) {
    Mapping* mapping = mappings_.at(address);
    if (mapping == nullptr) return {};
    arch::PageFlags flags = mapping->flags();
    if (!flags.allows(access)) return {};
    const VirtualAddress page = address.page();
    const uint64_t index = mapping->offset_of(page) / kPageSize;
    const auto found = mapping->memory().page(index);
    if (!found.ok()) return {};
    flags.write = flags.write && found.value().writable;
    if (!found.value().mappable || !flags.allows(access)) {
        return {.own_first = Ref<MemoryObject>(mapping->memory()), .index = index};
    }
    if (const auto present = table_.lookup(page)) {
        // Another hart was here first, or a protect has not come by yet, or the page is not shared
        // any more.
        if (present->flags == flags) return {.allowed = true};
        if (present->level == arch::PageLevel::k4KiB) {
            table_.protect(page, flags);
            return {.allowed = true};
        }
        drop_large(page);
    }
    const PhysicalAddress frame = found.value().frame;
    if (map_large(*mapping, page, frame, flags)) return {.allowed = true};
    mapping->touch(page);  // first: a failure may leave an empty table behind
    return {.allowed = table_.map(page, frame, flags, arch::PageLevel::k4KiB, *this).ok()};
}

// Enters the 2 MiB around a page together, if all of it is one mapping of memory in a row that is
// aligned as the addresses are, and nothing of it has been entered by itself.
bool AddressSpace::map_large(Mapping& mapping, VirtualAddress page, PhysicalAddress frame,
                             arch::PageFlags flags) {
    if (!mapping.memory().is_fixed()) return false;
    constexpr uint64_t kSize = arch::bytes_of(arch::PageLevel::k2MiB);
    const uint64_t within = page.value % kSize;
    const VirtualAddress begin{page.value - within};
    const VirtualAddress end = begin + kSize;
    if (frame.value % kSize != within || begin < mapping.start || end > mapping.end()) return false;
    if (table_.next_mapped(begin, end) != end) return false;
    mapping.touch(begin);
    mapping.touch(begin + (kSize - kPageSize));
    return table_.map(begin, {frame.value - within}, flags, arch::PageLevel::k2MiB, *this).ok();
}

// Has a page that is shared with a clone made the memory's own, without the lock; false if that is
// not what an access failed for, or if it cannot be done.
bool AddressSpace::try_again(const Access& failed) {
    return failed.own_first && failed.own_first->own_page(failed.index).ok();
}

bool AddressSpace::resolve_fault(VirtualAddress address, arch::Access access) {
    if (!arch::user_range(address, 1)) return false;
    Access outcome;
    do {
        LockGuard guard(lock_);
        outcome = populate(address, access);
    } while (!outcome.allowed && try_again(outcome));
    return outcome.allowed;
}

// Where the kernel finds a byte that user mode may use so.
AddressSpace::Access AddressSpace::reach(VirtualAddress address, arch::Access access) {
    auto found = table_.lookup(address);
    if (!found || !found->flags.allows(access)) {
        Access outcome = populate(address, access);
        if (!outcome.allowed) return outcome;
        found = table_.lookup(address);
    }
    return {.allowed = true, .place = arch::physical_pointer(found->address)};
}

// The same for reading, beyond the hold of the lock: until this hart passes a quiescent point the
// frame stays what it is.
const void* AddressSpace::reach_for_reading(VirtualAddress address) {
    Access outcome;
    do {
        LockGuard guard(lock_);
        outcome = reach(address, arch::Access::kRead);
    } while (!outcome.allowed && try_again(outcome));
    return outcome.place;
}

// Copies within one page of this address space.
bool AddressSpace::write_piece(VirtualAddress to, const void* from, size_t size) {
    Access outcome;
    do {
        LockGuard guard(lock_);
        outcome = reach(to, arch::Access::kWrite);
        if (outcome.allowed) std::memmove(outcome.place, from, size);
    } while (!outcome.allowed && try_again(outcome));
    return outcome.allowed;
}

bool AddressSpace::write(VirtualAddress to, const void* from, size_t size) {
    if (size != 0 && !arch::user_range(to, size)) return false;
    for (size_t done = 0; done < size;) {
        const VirtualAddress at = to + done;
        const size_t length = std::min<size_t>(size - done, kPageSize - at.page_offset());
        if (!write_piece(at, static_cast<const char*>(from) + done, length)) return false;
        done += length;
    }
    return true;
}

// Two address spaces are never locked at once.
Copied AddressSpace::write_from_user(VirtualAddress to, AddressSpace& source, VirtualAddress from,
                                     size_t size) {
    if (size == 0) return Copied::kAll;
    if (!arch::user_range(from, size)) return Copied::kBadSource;
    if (!arch::user_range(to, size)) return Copied::kBadDestination;
    for (size_t done = 0; done < size;) {
        const uint64_t used_of_page =
            std::max((to + done).page_offset(), (from + done).page_offset());
        const size_t length = std::min<size_t>(size - done, kPageSize - used_of_page);
        const void* bytes = source.reach_for_reading(from + done);
        if (bytes == nullptr) return Copied::kBadSource;
        if (!write_piece(to + done, bytes, length)) return Copied::kBadDestination;
        done += length;
        arch::open_interrupt_window();  // a page is copied with interrupts off, not all of them
    }
    return Copied::kAll;
}

Result<MemoryPlace> AddressSpace::locate(VirtualAddress address) {
    LockGuard guard(lock_);
    const Mapping* mapping = mappings_.at(address);
    if (mapping == nullptr) return Fail(Error::FAULT);
    return MemoryPlace{Ref<MemoryObject>(mapping->memory()), mapping->offset_of(address)};
}
