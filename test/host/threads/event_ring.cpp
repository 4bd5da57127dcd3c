// The ring of events: what a reader sees, alone and while others write. Compiled with
// ThreadSanitizer.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "base/event_ring.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

using Ring = EventRing<16, 3>;

// The words of one event belong together: a reader can tell when they do not.
Ring::Event event(uint64_t number) { return {{number, number * 3, number * 7}}; }
bool whole(const Ring::Event& seen) {
    return seen.words[1] == seen.words[0] * 3 && seen.words[2] == seen.words[0] * 7;
}

}  // namespace

TEST_CASE("event ring: the last events, oldest first") {
    Ring ring;
    Ring::Event out[16];
    CHECK(ring.read(out) == 0);
    for (uint64_t number = 1; number <= 500; ++number) {
        ring.record(event(number));
        const uint64_t expected = number < 16 ? number : 16;
        REQUIRE(ring.read(out) == expected);
        for (uint64_t i = 0; i < expected; ++i) {
            REQUIRE(out[i].words[0] == number - expected + 1 + i);
            REQUIRE(whole(out[i]));
        }
    }
    CHECK(ring.recorded() == 500);
}

TEST_CASE("event ring: all bits of a word arrive") {
    Ring ring;
    const uint64_t most = (uint64_t{1} << Ring::kBits) - 1;
    ring.record({{most, 0, most}});
    Ring::Event out[16];
    REQUIRE(ring.read(out) == 1);
    CHECK(out[0].words[0] == most);
    CHECK(out[0].words[1] == 0);
    CHECK(out[0].words[2] == most);
}

TEST_CASE("event ring: readers see whole events only, in order, while four write") {
    static constexpr uint64_t kEach = 20'000;
    static constexpr uint64_t kWriters = 4;
    Ring ring;
    std::atomic<uint64_t> writing{kWriters};
    std::vector<std::thread> writers;
    for (uint64_t writer = 0; writer < kWriters; ++writer) {
        writers.emplace_back([&, writer] {
            for (uint64_t i = 1; i <= kEach; ++i) ring.record(event(i << 8 | writer));
            --writing;
        });
    }
    uint64_t seen = 0;
    bool all_whole = true;
    bool in_order = true;
    while (writing != 0 || seen == 0) {
        Ring::Event out[16];
        uint64_t last[kWriters] = {};
        const uint32_t count = ring.read(out);
        for (uint32_t i = 0; i < count; ++i) {
            const uint64_t writer = out[i].words[0] & 0xff;
            all_whole = all_whole && whole(out[i]) && writer < kWriters;
            if (writer >= kWriters) continue;
            in_order = in_order && out[i].words[0] > last[writer];
            last[writer] = out[i].words[0];
        }
        seen += count;
    }
    for (std::thread& writer : writers) writer.join();
    CHECK(all_whole);
    CHECK(in_order);
    CHECK(ring.recorded() == kEach * kWriters);
    Ring::Event out[16];
    CHECK(ring.read(out) == 16);
}
