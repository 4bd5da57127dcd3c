// Numbers for placing things: what they depend on.
#include "memory/randomness.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "hosted/kernel.h"
#include "hosted/machine.h"

namespace {

constexpr uint64_t kSeed[4] = {1, 2, 3, 4};

// The first numbers after a boot with this seed, all drawn at one moment.
std::vector<uint64_t> numbers_of(const uint64_t (&seed)[4], uint64_t time) {
    hosted::kernel();
    hosted::set_time({time});
    seed_randomness(seed);
    std::vector<uint64_t> numbers(1'000);
    std::generate(numbers.begin(), numbers.end(), random_bits);
    return numbers;
}

}  // namespace

TEST_CASE("randomness: another seed, other numbers; and another time, too") {
    const auto numbers = numbers_of(kSeed, 5);
    CHECK(numbers == numbers_of(kSeed, 5));
    CHECK(numbers != numbers_of(kSeed, 6));
    for (uint32_t word = 0; word < 4; ++word) {
        uint64_t other[4];
        std::copy(std::begin(kSeed), std::end(kSeed), other);
        other[word] ^= uint64_t{1} << 63;
        const auto others = numbers_of(other, 5);
        for (uint64_t number : others) {
            REQUIRE(std::find(numbers.begin(), numbers.end(), number) == numbers.end());
        }
    }
}

TEST_CASE("randomness: no number twice, every bit as often 0 as 1") {
    auto numbers = numbers_of(kSeed, 5);
    for (uint32_t bit = 0; bit < 64; ++bit) {
        const auto ones = std::count_if(numbers.begin(), numbers.end(),
                                        [&](uint64_t number) { return (number >> bit & 1) != 0; });
        CHECK(ones > 400);
        CHECK(ones < 600);
    }
    std::sort(numbers.begin(), numbers.end());
    CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
}
