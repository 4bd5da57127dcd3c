// The direct map: all RAM is mapped readable and writable, never executable, at a fixed distance;
// device registers too.
#pragma once

#include <cstdint>

#include "base/assert.h"
#include "base/types.h"

namespace arch {

// What lies at or beyond this physical address cannot be used.
inline constexpr uint64_t kPhysicalLimit = uint64_t{128} << 30;
inline constexpr uint64_t kDirectMapBase = 0xffffffc000000000;

inline void* physical_pointer(PhysicalAddress address) {
    debug_check(address.value < kPhysicalLimit, "physical address beyond the direct map");
    return reinterpret_cast<void*>(kDirectMapBase + address.value);
}
PhysicalAddress physical_address_of(const void* pointer);

}  // namespace arch
