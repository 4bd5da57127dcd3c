#include "memory/randomness.h"

#include <algorithm>
#include <atomic>
#include <iterator>

#include "arch/time.h"

namespace {

constexpr uint64_t kStep = 0x9e3779b97f4a7c15;

std::atomic<uint64_t> counter{0};
uint64_t keys[4];  // written at boot

// Every bit moves half of the result's (the finaliser of the splitmix64 generator).
uint64_t mix(uint64_t bits) {
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return bits ^ bits >> 31;
}

}  // namespace

void seed_randomness(const uint64_t (&seed)[4]) {
    std::copy(std::begin(seed), std::end(seed), keys);
    counter.store(0, std::memory_order_relaxed);
}

// A counter of large odd steps and the time, through mixers that nobody can turn back without the
// keys between them.
uint64_t random_bits() {
    uint64_t bits =
        counter.fetch_add(kStep, std::memory_order_relaxed) + arch::now().nanoseconds * kStep;
    for (const uint64_t key : keys) bits = mix(bits) ^ key;
    return mix(bits);
}
