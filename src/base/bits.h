// Bits of a word. The processor need not have instructions for them.
#pragma once

#include <cstdint>

// The number of the highest bit that is set; there is one.
constexpr uint32_t highest_bit(uint64_t word) {
    uint32_t number = 0;
    for (uint32_t step = 32; step != 0; step /= 2) {
        if (word >> step != 0) {
            word >>= step;
            number += step;
        }
    }
    return number;
}

// The number of the lowest bit that is set; there is one.
constexpr uint32_t lowest_bit(uint64_t word) { return highest_bit(word & -word); }

static_assert(highest_bit(1) == 0 && highest_bit(UINT64_MAX) == 63 && highest_bit(40) == 5);
static_assert(lowest_bit(1) == 0 && lowest_bit(uint64_t{1} << 63) == 63 && lowest_bit(40) == 3);
