// One object in detail.
#pragma once

#include <cstdint>

namespace objects {

// Prints what the kernel tells of the object with this id. Returns the exit code.
int describe(uint64_t id);

}  // namespace objects
