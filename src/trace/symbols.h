// Names for the kernel's own addresses, from a table that the build appends to the image.
#pragma once

#include <cstdint>

struct Symbol {
    const char* name;  // null: unknown
    uint64_t offset;   // of the address from the function's beginning
};

Symbol find_symbol(uint64_t address);
