#include "memory/randomness.h"

#include <atomic>

#include "arch/time.h"

namespace {
std::atomic<uint64_t> state{0};
}

// A counter of large odd steps, the time, and a mixer in which every bit of the sum moves half of
// the result's (the finaliser of the splitmix64 generator).
uint64_t random_bits() {
    constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
    uint64_t bits =
        state.fetch_add(kStep, std::memory_order_relaxed) + arch::now().nanoseconds * kStep;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return bits ^ bits >> 31;
}
