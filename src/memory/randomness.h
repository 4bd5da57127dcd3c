// Numbers for placing things where others do not expect them. Seeded by the clock, so they are hard
// to guess from outside the machine and not fit for keys.
#pragma once

#include <cstdint>

uint64_t random_bits();
