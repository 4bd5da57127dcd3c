// Runs a scenario under many interleavings. A scenario is a class: its constructor sets a stage and
// starts threads, check() judges the outcome. First come all interleavings with up to a number of
// detours (from: each hart goes on for as long as it can, then the next one); then random walks.
// Each run is one construction, one run and one check, and ends with every count as before.
#pragma once

#include <cstdlib>
#include <random>
#include <vector>

#include "ipc_fixture.h"

namespace ipc_test {

// Seeds of this program run: a fixed list and a fresh one, or the one in KAIROS_SEED. Printed.
const std::vector<uint64_t>& seeds();
// How much longer than usual to look: KAIROS_EFFORT, 1 if it is not set.
uint64_t effort();

// For comparisons by the million: says something only when they differ.
template <typename Actual, typename Expected>
void same(const Actual& actual, const Expected& expected, int line = __builtin_LINE()) {
    if (static_cast<Expected>(actual) == expected) [[likely]]
        return;
    CAPTURE(line);
    REQUIRE(static_cast<Expected>(actual) == expected);
}

// At each point, by chance. How often it switches is also drawn.
class RandomWalk final : public hosted::Chooser {
  public:
    explicit RandomWalk(uint64_t seed);
    uint32_t choose(hosted::Point point, uint32_t now, uint64_t able) override;

  private:
    std::mt19937_64 random_;
    uint64_t switches_in_;  // one point in so many
};

// All interleavings, depth first, with at most `bound` detours in a run, at points where programs
// are at work.
class Systematic final : public hosted::Chooser {
  public:
    explicit Systematic(uint32_t bound) : bound_(bound) {}
    // Before each run; false when there is no other one.
    bool next_run();
    uint32_t choose(hosted::Point point, uint32_t now, uint64_t able) override;

  private:
    struct Choice {
        uint32_t options;
        uint32_t picked;
    };
    const uint32_t bound_;
    std::vector<Choice> trail_;
    size_t depth_ = 0;
    uint32_t detours_ = 0;
    bool begun_ = false;
};

// One run of a scenario.
template <typename Scenario>
void run_once(hosted::Chooser& chooser) {
    const NothingLeft nothing_left;
    Scenario scenario(nothing_left.root());
    REQUIRE(hosted::run_harts(chooser, scenario.happening()) == hosted::RunEnd::kQuiet);
    scenario.check();
}

template <typename Scenario>
void explore(uint32_t detours = 1, uint64_t walks = 60) {
    constexpr uint64_t kMostRuns = 3000;
    Systematic systematic(detours);
    for (uint64_t run = 0; run < kMostRuns * effort() && systematic.next_run(); ++run) {
        CAPTURE(run);
        run_once<Scenario>(systematic);
    }
    for (const uint64_t seed : seeds()) {
        for (uint64_t walk = 0; walk < walks * effort(); ++walk) {
            CAPTURE(seed);
            CAPTURE(walk);
            RandomWalk random(seed * 1'000'003 + walk);
            run_once<Scenario>(random);
        }
    }
}

}  // namespace ipc_test
