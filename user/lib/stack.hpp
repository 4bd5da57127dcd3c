// Stacks of threads, with a page without access below them.
#pragma once

#include <kairos/base.h>

#include <cstddef>

namespace kairos::internal {

constexpr size_t kGuardSize = KAIROS_PAGE_SIZE;

// Maps `size` bytes of stack, a multiple of the page size, and the guard page below them, somewhere
// in the address space `space`; `*guard` is where the guard begins. On failure nothing is left.
// Errors as kairos_memory_create and kairos_map.
kairos_status_t map_stack(kairos_handle_t space, size_t size, std::byte** guard);

// Takes back what map_stack mapped.
void unmap_stack(kairos_handle_t space, std::byte* guard, size_t size);

}  // namespace kairos::internal
