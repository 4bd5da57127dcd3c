// Numbers for placing things where others do not expect them: hard to guess for who knows neither
// the seed that the machine was started with nor the time of each call. Not fit for keys. Without a
// seed only the time is hard to guess.
#pragma once

#include <cstdint>

// Boot only.
void seed_randomness(const uint64_t (&seed)[4]);

uint64_t random_bits();
