// The only door from the kernel into user memory. Each function checks that the range lies in user
// space, opens user access for its own duration only, and answers false instead of faulting: page
// faults on the way are offered to the kernel (entry.h: resolve_user_fault) first. What was copied
// before a fault stays copied. A lock whose rank is below kAddressSpace may be held.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.h"

namespace arch {

[[nodiscard]] bool copy_from_user(void* destination, VirtualAddress source, size_t size);
[[nodiscard]] bool copy_to_user(VirtualAddress destination, const void* source, size_t size);
// One naturally aligned word, read in one access.
[[nodiscard]] bool load_user_word(uint32_t* destination, VirtualAddress source);

}  // namespace arch
