// Memory from the kernel for the heap. All of it is there when it is handed out: running out of
// memory is an error here, not a fault later.
#pragma once

#include <cstddef>

namespace kairos::internal {

// Adds `size` bytes, a multiple of the page size, to the end of the heap, and returns where they
// begin; null if there are none. Usually they continue what was added before.
std::byte* extend_heap(size_t size);

// Maps `size` bytes, a multiple of the page size, of zeros by themselves; null if there are none.
std::byte* map_block(size_t size);
void unmap_block(std::byte* block, size_t size);

}  // namespace kairos::internal
