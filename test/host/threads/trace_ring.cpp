// The trace ring under real threads: one writes as fast as it can, others read all the time. Every
// word of record n is made of n, so a torn record shows. Compiled with ThreadSanitizer.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "trace/ring.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

namespace {

constexpr uint32_t kSize = 16;

uint64_t word_of(uint64_t number, uint32_t i) {
    return (number * TraceRing::kWords + i + 1) * 0x9e3779b97f4a7c15;
}

struct Fixture {
    TraceRing::Slot slots[kSize];
    TraceRing ring;
    Fixture() { ring.give_memory(slots, kSize); }
    void write() {
        ring.write([](uint64_t number, auto store) {
            for (uint32_t i = 0; i < TraceRing::kWords; ++i) store(i, word_of(number, i));
        });
    }
    bool whole(uint64_t number, const TraceRing::Words& words) const {
        for (uint32_t i = 0; i < TraceRing::kWords; ++i) {
            if (words[i] != word_of(number, i)) return false;
        }
        return true;
    }
};

}  // namespace

TEST_CASE("a ring without memory has nothing to read") {
    TraceRing ring;
    TraceRing::Words words;
    CHECK_FALSE(ring.ready());
    CHECK_FALSE(ring.read(0, words));
    CHECK(ring.next() == 0);
    CHECK(ring.oldest() == 0);
}

TEST_CASE("records are found by number until they are overwritten") {
    Fixture fixture;
    TraceRing::Words words;
    for (uint64_t number = 0; number < 5 * kSize; ++number) {
        CHECK_FALSE(fixture.ring.read(number, words));
        fixture.write();
        REQUIRE(fixture.ring.read(number, words));
        CHECK(fixture.whole(number, words));
        CHECK(fixture.ring.next() == number + 1);
        if (number < kSize) continue;
        CHECK(fixture.ring.oldest() == number + 1 - kSize);
        CHECK(fixture.ring.read(number + 1 - kSize, words));
        CHECK_FALSE(fixture.ring.read(number - kSize, words));
    }
}

TEST_CASE("a record that is being written is neither the old nor the new one") {
    Fixture fixture;
    for (uint32_t i = 0; i < kSize; ++i) fixture.write();
    TraceRing::Words words;
    REQUIRE(fixture.ring.read(0, words));
    fixture.ring.write([&](uint64_t number, auto store) {
        for (uint32_t i = 0; i < TraceRing::kWords; ++i) {
            CHECK_FALSE(fixture.ring.read(0, words));  // its slot is begun
            CHECK_FALSE(fixture.ring.read(number, words));
            CHECK(fixture.ring.read(1, words));
            store(i, word_of(number, i));
        }
    });
    CHECK(fixture.ring.read(kSize, words));
}

TEST_CASE("readers beside the writer see whole records in order, and know what they missed") {
    constexpr uint64_t kRecords = 200'000;
    Fixture fixture;
    struct Seen {
        uint64_t records = 0;
        uint64_t lost = 0;
        bool torn = false;
    };
    const auto read_all = [&](Seen& seen) {
        uint64_t next = 0;
        while (next < kRecords) {
            if (const uint64_t oldest = fixture.ring.oldest(); next < oldest) {
                seen.lost += oldest - next;
                next = oldest;
            }
            TraceRing::Words words;
            if (next >= fixture.ring.next()) {
                std::this_thread::yield();
            } else if (fixture.ring.read(next, words)) {
                seen.torn |= !fixture.whole(next, words);
                ++seen.records;
                ++next;
            }
        }
    };
    Seen seen[2];
    std::vector<std::thread> readers;
    for (Seen& each : seen) readers.emplace_back([&] { read_all(each); });
    std::thread writer([&] {
        for (uint64_t i = 0; i < kRecords; ++i) {
            fixture.write();
            if (i % 64 == 0) std::this_thread::yield();
        }
    });
    writer.join();
    for (std::thread& reader : readers) reader.join();
    for (const Seen& each : seen) {
        CHECK_FALSE(each.torn);
        CHECK(each.records + each.lost == kRecords);
        CHECK(each.records > 0);
    }
}
