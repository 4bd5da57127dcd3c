// See arch/riscv/include/arch/direct_map.h. RAM lies in one host mapping (arch/machine.cpp).
#pragma once

#include <cstdint>

#include "base/types.h"

namespace arch {

inline constexpr uint64_t kPhysicalLimit = uint64_t{128} << 30;

void* physical_pointer(PhysicalAddress address);
PhysicalAddress physical_address_of(const void* pointer);

}  // namespace arch
