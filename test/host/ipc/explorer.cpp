#include "explorer.h"

#include <cstdio>

namespace ipc_test {

using hosted::Point;

const std::vector<uint64_t>& seeds() {
    static const std::vector<uint64_t> seeds = [] {
        if (const char* given = std::getenv("KAIROS_SEED")) {
            return std::vector<uint64_t>{std::strtoull(given, nullptr, 0)};
        }
        std::vector<uint64_t> list = {1, 2, std::random_device{}() % 1'000'000'000};
        std::printf("seeds:");
        for (const uint64_t seed : list) std::printf(" %lu", seed);
        std::printf(" (KAIROS_SEED=n repeats one)\n");
        return list;
    }();
    return seeds;
}

uint64_t effort() {
    const char* given = std::getenv("KAIROS_EFFORT");
    return given == nullptr ? 1 : std::strtoull(given, nullptr, 0);
}

namespace {

bool may_preempt(Point point) { return point != Point::kSpin && point != Point::kIdle; }

// The n-th of the able ones, in turn from the one that runs now.
uint32_t pick(uint32_t now, uint64_t able, uint64_t n) {
    for (uint32_t hart = now;; hart = (hart + 1) % 32) {
        if ((able >> hart & 1) == 0) continue;
        if (n == 0) return hart;
        --n;
    }
}

}  // namespace

RandomWalk::RandomWalk(uint64_t seed) : random_(seed), switches_in_(uint64_t{1} << random_() % 6) {}

uint32_t RandomWalk::choose(Point point, uint32_t now, uint64_t able) {
    if (may_preempt(point) && random_() % switches_in_ != 0) return now;
    return pick(now, able, random_() % static_cast<uint64_t>(__builtin_popcountll(able)));
}

bool Systematic::next_run() {
    depth_ = 0;
    detours_ = 0;
    if (!std::exchange(begun_, true)) return true;
    while (!trail_.empty() && trail_.back().picked + 1 == trail_.back().options) trail_.pop_back();
    if (trail_.empty()) return false;
    ++trail_.back().picked;
    return true;
}

uint32_t Systematic::choose(Point point, uint32_t now, uint64_t able) {
    const auto options = static_cast<uint32_t>(__builtin_popcountll(able));
    const bool counts = !may_preempt(point) || (hosted::at_work() && point != Point::kInnerLock);
    if (!counts || options == 1 || detours_ == bound_) return pick(now, able, 0);
    // Runs are alike up to a choice, but for what earlier ones left in caches.
    if (depth_ == trail_.size()) trail_.push_back({options, 0});
    Choice& choice = trail_[depth_++];
    choice.options = options;
    choice.picked = std::min(choice.picked, options - 1);
    if (choice.picked != 0) ++detours_;
    return pick(now, able, choice.picked);
}

}  // namespace ipc_test
