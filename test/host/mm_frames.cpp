// Page frames: the caches of the harts, counts, exhaustion, and what debug builds notice.
#include "mm/frames.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "hosted/kernel.h"
#include "hosted/machine.h"

namespace {

uint8_t* bytes_of(PhysicalAddress frame) {
    return static_cast<uint8_t*>(arch::physical_pointer(frame));
}

bool all_bytes_are(PhysicalAddress frame, uint8_t value) {
    const uint8_t* bytes = bytes_of(frame);
    return std::all_of(bytes, bytes + kPageSize, [&](uint8_t byte) { return byte == value; });
}

// Frees and allocates on every hart until no cache holds anything that a block could need.
void empty_all_caches() {
    for (uint32_t i = 0; i < hosted::kHarts; ++i) {
        hosted::enter_hart({i});
        // A block that cannot be had makes the hart give its cache back.
        std::vector<PhysicalAddress> blocks;
        while (auto block = mm::allocate_block(mm::kMaxOrder)) blocks.push_back(*block);
        for (const PhysicalAddress block : blocks) mm::free_block(block, mm::kMaxOrder);
    }
    hosted::enter_hart({0});
}

uint64_t largest_blocks() {
    std::vector<PhysicalAddress> blocks;
    while (auto block = mm::allocate_block(mm::kMaxOrder)) blocks.push_back(*block);
    for (const PhysicalAddress block : blocks) mm::free_block(block, mm::kMaxOrder);
    return blocks.size();
}

}  // namespace

TEST_CASE("frames: total counts all RAM, free what is left of it") {
    hosted::kernel();
    CHECK(mm::total_frames() == (hosted::kKernelRam - (uint64_t{1} << 20)) / kPageSize);
    CHECK(mm::free_frames_count() < mm::total_frames());
    CHECK(mm::free_frames_count() > mm::total_frames() - 600);
}

TEST_CASE("frames: a frame in a cache counts as free, whichever hart's it is") {
    hosted::kernel();
    const uint64_t before = mm::free_frames_count();
    hosted::enter_hart({1});
    const PhysicalAddress frame = mm::allocate_frame().take();
    CHECK(mm::free_frames_count() == before - 1);
    hosted::enter_hart({2});
    mm::free_frame(frame);
    CHECK(mm::free_frames_count() == before);
}

TEST_CASE("frames: zeroed means zeroed, and what is freed is overwritten") {
    hosted::kernel();
    for (int i = 0; i < 200; ++i) {
        const PhysicalAddress frame = mm::allocate_zeroed_frame().take();
        REQUIRE(all_bytes_are(frame, 0));
        std::memset(bytes_of(frame), 0x5a, kPageSize);
        mm::free_frame(frame);
        REQUIRE(all_bytes_are(frame, 0xa5));  // still in this hart's cache
    }
}

TEST_CASE("frames: freeing twice is noticed in the cache and behind it") {
    hosted::kernel();
    const PhysicalAddress frame = mm::allocate_frame().take();
    mm::free_frame(frame);
    CHECK_THROWS_AS(mm::free_frame(frame), hosted::Panic);
    hosted::enter_hart({1});
    CHECK_THROWS_AS(mm::free_frame(frame), hosted::Panic);
    hosted::enter_hart({0});

    const PhysicalAddress block = mm::allocate_block(4).take();
    mm::free_block(block, 4);
    CHECK_THROWS_AS(mm::free_block(block, 4), hosted::Panic);
    CHECK_THROWS_AS(mm::free_frame(block + 3 * kPageSize), hosted::Panic);
}

TEST_CASE("frames: every frame can be had once, none of them reserved, and all come back") {
    hosted::kernel();
    empty_all_caches();
    const uint64_t before = mm::free_frames_count();
    const uint64_t blocks = largest_blocks();

    std::set<PhysicalAddress> frames;
    while (auto frame = mm::allocate_frame()) REQUIRE(frames.insert(*frame).second);
    CHECK(frames.size() == before);
    CHECK(mm::free_frames_count() == 0);
    CHECK(mm::allocate_frame().error() == Error::NOMEM);
    CHECK(mm::allocate_block(0).error() == Error::NOMEM);

    constexpr uint64_t kMiB = uint64_t{1} << 20;
    for (const PhysicalAddress frame : frames) {
        const uint64_t offset = frame.value - hosted::kRamBase.value;
        REQUIRE((offset < 5 * kMiB || (offset >= 6 * kMiB && offset < hosted::kKernelRam)));
        REQUIRE((offset + kPageSize <= 3 * kMiB || offset >= 3 * kMiB + 123'456));
    }
    for (const PhysicalAddress frame : frames) mm::free_frame(frame);
    CHECK(mm::free_frames_count() == before);
    CHECK(largest_blocks() == blocks);
}

TEST_CASE("frames: a block is made whole with frames from the cache") {
    hosted::kernel();
    empty_all_caches();
    std::vector<PhysicalAddress> blocks;
    while (auto block = mm::allocate_block(mm::kMaxOrder)) blocks.push_back(*block);
    std::vector<PhysicalAddress> frames;
    while (auto frame = mm::allocate_frame()) frames.push_back(*frame);
    // The only memory there is: one block, as single frames, of which the last ones stay cached.
    mm::free_block(blocks.back(), mm::kMaxOrder);
    std::vector<PhysicalAddress> parts;
    while (auto frame = mm::allocate_frame()) parts.push_back(*frame);
    for (const PhysicalAddress frame : parts) mm::free_frame(frame);
    const auto whole = mm::allocate_block(mm::kMaxOrder);
    CHECK(whole.ok());
    CHECK(whole.value() == blocks.back());

    for (const PhysicalAddress block : blocks) mm::free_block(block, mm::kMaxOrder);
    for (const PhysicalAddress frame : frames) mm::free_frame(frame);
}

TEST_CASE("frames: a million random steps on four harts against a reference") {
    hosted::kernel();
    const uint64_t before = mm::free_frames_count();
    std::vector<PhysicalAddress> held;
    std::set<PhysicalAddress> taken;
    std::mt19937_64 random(3);

    for (int step = 0; step < 1'000'000; ++step) {
        if (step % 16 == 0) hosted::enter_hart({static_cast<uint32_t>(random() % hosted::kHarts)});
        const bool grow = (step / 5'000) % 2 == 0 ? random() % 4 != 0 : random() % 4 == 0;
        if (grow || held.empty()) {
            const PhysicalAddress frame = mm::allocate_frame().take();
            REQUIRE(taken.insert(frame).second);
            held.push_back(frame);
        } else {
            const size_t index = random() % held.size();
            mm::free_frame(held[index]);
            taken.erase(held[index]);
            held[index] = held.back();
            held.pop_back();
        }
        if (step % 256 == 0) REQUIRE(mm::free_frames_count() == before - held.size());
    }
    for (const PhysicalAddress frame : held) mm::free_frame(frame);
    CHECK(mm::free_frames_count() == before);
    hosted::enter_hart({0});
}

TEST_CASE("frames: harts that allocate at once never share a frame") {
    hosted::kernel();
    const uint64_t before = mm::free_frames_count();
    std::atomic<int> mixed_up{0};
    const auto work = [&](uint32_t hart) {
        hosted::enter_hart({hart});
        std::mt19937_64 random(hart);
        std::vector<PhysicalAddress> held;
        for (int step = 0; step < 30'000; ++step) {
            if (held.size() < 200 && random() % 2 == 0) {
                held.push_back(mm::allocate_frame().take());
                bytes_of(held.back())[100] = static_cast<uint8_t>(hart);
            } else if (!held.empty()) {
                if (bytes_of(held.back())[100] != hart) ++mixed_up;
                mm::free_frame(held.back());
                held.pop_back();
            }
            if (step % 100 == 0) {
                const auto block = mm::allocate_block(3);
                mm::free_block(block.value(), 3);
            }
        }
        for (const PhysicalAddress frame : held) mm::free_frame(frame);
    };
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < hosted::kHarts; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
    CHECK(mixed_up == 0);
    CHECK(mm::free_frames_count() == before);
}
