// Sv39 page-table entries. Accessed and dirty are always set in advance: the kernel does not use
// them, and a hart that faults to have them set is spared the trap.
#pragma once

#include <cstdint>

#include "arch/paging.h"
#include "base/types.h"

namespace arch::pte {

inline constexpr uint64_t kValid = 1u << 0;
inline constexpr uint64_t kRead = 1u << 1;
inline constexpr uint64_t kWrite = 1u << 2;
inline constexpr uint64_t kExecute = 1u << 3;
inline constexpr uint64_t kUser = 1u << 4;
inline constexpr uint64_t kGlobal = 1u << 5;
inline constexpr uint64_t kAccessed = 1u << 6;
inline constexpr uint64_t kDirty = 1u << 7;
// Two bits are left to software. A page without any access is not valid for the hart, but known
// here as mapped; a device page is known as one (what it means is fixed by its address on virt).
inline constexpr uint64_t kNoAccess = 1u << 8;
inline constexpr uint64_t kDevice = 1u << 9;

inline constexpr unsigned kEntries = 512;
inline constexpr unsigned kRootLevel = 2;

constexpr unsigned index_of(VirtualAddress address, unsigned level) {
    return (address.value >> (kPageShift + 9 * level)) % kEntries;
}
constexpr uint64_t bytes_of_level(unsigned level) { return kPageSize << (9 * level); }

constexpr uint64_t with_frame(PhysicalAddress frame, uint64_t bits) {
    return (frame.value >> kPageShift) << 10 | bits;
}
constexpr PhysicalAddress frame_of(uint64_t entry) {
    return {(entry >> 10 & ((uint64_t{1} << 44) - 1)) << kPageShift};
}
constexpr uint64_t to_table(PhysicalAddress table) { return with_frame(table, kValid); }

constexpr bool is_table(uint64_t entry) {
    return (entry & (kValid | kRead | kWrite | kExecute)) == kValid;
}
constexpr bool is_leaf(uint64_t entry) { return entry != 0 && !is_table(entry); }

// A user page. Writable implies readable: the hardware knows no other.
constexpr uint64_t to_user_page(PhysicalAddress frame, PageFlags flags) {
    const uint64_t device = flags.device ? kDevice : 0;
    if (!flags.read && !flags.write && !flags.execute) {
        return with_frame(frame, kNoAccess | device);
    }
    return with_frame(frame, kValid | kUser | kAccessed | kDirty | device |
                                 (flags.read || flags.write ? kRead : 0) |
                                 (flags.write ? kWrite : 0) | (flags.execute ? kExecute : 0));
}
constexpr PageFlags flags_of(uint64_t entry) {
    return {.read = (entry & kRead) != 0,
            .write = (entry & kWrite) != 0,
            .execute = (entry & kExecute) != 0,
            .device = (entry & kDevice) != 0};
}

constexpr uint64_t to_kernel_page(PhysicalAddress frame, uint64_t access) {
    return with_frame(frame, kValid | kGlobal | kAccessed | kDirty | access);
}

// Entries are changed in one store, behind everything written before: what a table or page holds
// is seen by whoever sees the entry.
inline void set(uint64_t& entry, uint64_t value) {
    __atomic_store_n(&entry, value, __ATOMIC_RELEASE);
}

}  // namespace arch::pte
