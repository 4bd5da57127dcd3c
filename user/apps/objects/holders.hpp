// Who holds an object, and what a process holds.
#pragma once

#include <kairos/handle.hpp>

#include <cstdint>

namespace objects {

// Prints the handles and descriptors of the object with this id, as the tree in which they were
// made from each other; nothing if it has none. Errors as kairos_system_holders.
kairos::Result<> print_holders(uint64_t id);

// Prints what the process with this id holds; nothing if that is nothing. Errors as
// kairos_system_handles.
kairos::Result<> print_handles(uint64_t process);

}  // namespace objects
