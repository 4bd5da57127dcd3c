// Translations that harts remember, and making them forget.
//
// Each address space keeps the set of harts that have run in it. A hart enters the set the first
// time it switches there and stays in it for the address space's life, so only harts in the set
// can hold translations, and only they are asked to forget. Why no hart is missed:
//
//   a hart that arrives                      whoever removes a mapping
//   A1 enters the set (atomic)               R1 clears the page-table entry
//   A2 sfence.vma                            R2 fence
//   A3 switches; its walks read entries      R3 reads the set, asks its harts
//
// If R3 does not see A1, then R1 was visible before A1, and A2 makes A3's walks see it.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/types.h"

namespace arch {

inline void flush_local_all() { asm volatile("sfence.vma" : : : "memory"); }

// All address spaces and the kernel's mappings, at one address.
inline void flush_local_page(VirtualAddress page) {
    asm volatile("sfence.vma %0, zero" : : "r"(page.value) : "memory");
}
inline void flush_local_asid(uint64_t asid) {
    asm volatile("sfence.vma zero, %0" : : "r"(asid) : "memory");
}
inline void flush_local_page_of_asid(VirtualAddress page, uint64_t asid) {
    asm volatile("sfence.vma %0, %1" : : "r"(page.value), "r"(asid) : "memory");
}

// Makes `harts` (a bit for each HartIndex) forget `pages` pages from `start` of one address space;
// kAllPages for all of it. What was stored to the page table before is what they see afterwards.
inline constexpr uint64_t kAllPages = UINT64_MAX;
void flush_asid(uint64_t asid, const std::atomic<uint32_t>& harts, VirtualAddress start,
                uint64_t pages);

// Makes every hart forget everything.
void flush_everywhere();

}  // namespace arch
