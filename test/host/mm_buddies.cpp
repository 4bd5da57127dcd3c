// The buddy allocator on memory of its own, beside the kernel's.
#include "mm/buddies.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

#include "hosted/kernel.h"
#include "hosted/machine.h"

namespace {

constexpr uint64_t kLargestFrames = uint64_t{1} << mm::kMaxOrder;

// Frames from a little after the beginning of a large block on, so that its parts are needed.
struct Arena {
    static constexpr uint64_t kFrames = 10'000;

    explicit Arena(uint64_t first_frame = 3)
        : begin(hosted::kRamBase + hosted::kKernelRam + first_frame * kPageSize),
          end(begin + kFrames * kPageSize),
          states(mm::Buddies::state_bytes(begin, end)) {
        hosted::kernel();
        buddies.init(begin, end, states.data());
    }

    PhysicalAddress begin, end;
    std::vector<uint8_t> states;
    mm::Buddies buddies;
};

// How many blocks of each order can be had, largest first: the shape of what is free.
std::vector<uint64_t> shape_of(mm::Buddies& buddies) {
    std::vector<std::pair<PhysicalAddress, uint32_t>> taken;
    std::vector<uint64_t> shape(mm::kMaxOrder + 1);
    for (uint32_t order = mm::kMaxOrder + 1; order-- > 0;) {
        while (auto block = buddies.allocate(order)) {
            taken.push_back({*block, order});
            ++shape[order];
        }
    }
    for (const auto& [block, order] : taken) buddies.free(block, order);
    return shape;
}

}  // namespace

TEST_CASE("buddies: memory that is added comes in the largest blocks that fit") {
    Arena arena(3);
    arena.buddies.add(arena.begin, arena.begin + 2 * kPageSize);  // frames 3 and 4
    CHECK(arena.buddies.free_frames() == 2);
    CHECK_FALSE(arena.buddies.allocate(1));  // they are not buddies
    arena.buddies.add(arena.begin + 2 * kPageSize, arena.end);
    CHECK(arena.buddies.free_frames() == Arena::kFrames);

    uint64_t largest = 0;
    for (; auto block = arena.buddies.allocate(mm::kMaxOrder); ++largest) {
        CHECK(block->value % (kLargestFrames * kPageSize) == 0);
    }
    CHECK(largest == (Arena::kFrames + 3) / kLargestFrames - 1);
}

TEST_CASE("buddies: a block that is split and freed is whole again") {
    Arena arena(0);
    arena.buddies.add(arena.begin, arena.begin + kLargestFrames * kPageSize);
    std::vector<PhysicalAddress> frames;
    while (auto frame = arena.buddies.allocate(0)) frames.push_back(*frame);
    CHECK(frames.size() == kLargestFrames);
    CHECK(arena.buddies.free_frames() == 0);

    std::shuffle(frames.begin(), frames.end(), std::mt19937(1));
    for (const PhysicalAddress frame : frames) arena.buddies.free(frame, 0);
    const auto whole = arena.buddies.allocate(mm::kMaxOrder);
    REQUIRE(whole.ok());
    CHECK(whole.value() == arena.begin);
}

TEST_CASE("buddies: what is freed wrongly is noticed") {
    Arena arena(0);
    arena.buddies.add(arena.begin, arena.end);
    const PhysicalAddress block = arena.buddies.allocate(3).take();

    CHECK_THROWS_AS(arena.buddies.free(arena.end + kPageSize * kLargestFrames, 0), hosted::Panic);
    CHECK_THROWS_AS(arena.buddies.free({arena.begin.value - kPageSize}, 0), hosted::Panic);
    CHECK_THROWS_AS(arena.buddies.free(block + kPageSize, 1), hosted::Panic);  // not aligned
    CHECK_THROWS_AS(arena.buddies.free(block + 1, 0), hosted::Panic);          // not a frame
    CHECK_THROWS_AS(arena.buddies.free(block, mm::kMaxOrder + 1), hosted::Panic);

    arena.buddies.free(block, 3);
    CHECK_THROWS_AS(arena.buddies.free(block, 3), hosted::Panic);
    CHECK_THROWS_AS(arena.buddies.free(block + 2 * kPageSize, 0), hosted::Panic);
    const PhysicalAddress half = arena.buddies.allocate(2).take();
    CHECK_THROWS_AS(arena.buddies.free(half, 3), hosted::Panic);  // the other half is free
    arena.buddies.free(half, 2);
    CHECK(arena.buddies.free_frames() == Arena::kFrames);
}

TEST_CASE("buddies: a million random steps against a reference") {
    Arena arena;
    arena.buddies.add(arena.begin, arena.begin + 5'000 * kPageSize);
    arena.buddies.add(arena.begin + 5'100 * kPageSize, arena.end);  // with a hole in between
    const uint64_t all = arena.buddies.free_frames();
    const auto shape = shape_of(arena.buddies);

    struct Block {
        PhysicalAddress at;
        uint32_t order;
        uint64_t end() const { return at.value + (kPageSize << order); }
    };
    std::vector<Block> held;
    std::map<uint64_t, uint64_t> taken;  // begin to end
    uint64_t taken_frames = 0;
    std::mt19937_64 random(2);

    const auto overlaps = [&](const Block& block) {
        auto after = taken.lower_bound(block.at.value);
        if (after != taken.end() && after->first < block.end()) return true;
        return after != taken.begin() && std::prev(after)->second > block.at.value;
    };
    const auto allocate = [&] {
        const auto order = static_cast<uint32_t>(std::countr_zero(random() | 1u << mm::kMaxOrder));
        const auto got = arena.buddies.allocate(order);
        if (!got) return;
        const Block block{got.value(), order};
        REQUIRE(block.at.value % (kPageSize << order) == 0);
        REQUIRE(block.at >= arena.begin);
        REQUIRE(block.end() <= arena.end.value);
        const uint64_t hole = arena.begin.value + 5'000 * kPageSize;
        REQUIRE((block.end() <= hole || block.at.value >= hole + 100 * kPageSize));
        REQUIRE_FALSE(overlaps(block));
        taken[block.at.value] = block.end();
        held.push_back(block);
        taken_frames += uint64_t{1} << order;
    };
    const auto free = [&](size_t index) {
        const Block block = held[index];
        held[index] = held.back();
        held.pop_back();
        taken.erase(block.at.value);
        taken_frames -= uint64_t{1} << block.order;
        arena.buddies.free(block.at, block.order);
    };

    for (int step = 0; step < 1'000'000; ++step) {
        // Phases of growing and shrinking, so that both ends are reached.
        const bool grow = (step / 20'000) % 2 == 0 ? random() % 4 != 0 : random() % 4 == 0;
        if (grow || held.empty()) {
            allocate();
        } else {
            free(random() % held.size());
        }
        if (step % 64 == 0) REQUIRE(arena.buddies.free_frames() == all - taken_frames);
    }
    while (!held.empty()) free(held.size() - 1);
    CHECK(arena.buddies.free_frames() == all);
    CHECK(shape_of(arena.buddies) == shape);
}
