// Long changes of an address space are done a piece at a time; what happens when another thread
// comes in between.
#include "memory_fixture.h"

#include <algorithm>
#include <utility>

using namespace memory_test;

// ---- Bounded work -------------------------------------------------------------------------------

TEST_CASE("address space: long ranges are changed a piece at a time") {
    Fixture fixture;
    constexpr uint64_t kPages = 4096;
    REQUIRE(fixture.map(page(0), kPages, kData, kAll).ok());
    for (uint64_t i = 0; i < kPages; ++i) REQUIRE(fixture.writable(page(i)));
    const auto mapped_pages = [&] {
        uint64_t count = 0;
        const arch::PageTable& table = fixture.space->page_table();
        VirtualAddress at = table.next_mapped(kBase, page(kPages));
        for (; at < page(kPages); at = table.next_mapped(at + kPageSize, page(kPages))) ++count;
        return count;
    };
    uint64_t most = 0;
    uint64_t turns = 0;
    uint64_t last = kPages;
    hosted::on_preemption_point = [&] {
        ++turns;
        const uint64_t now = mapped_pages();
        most = std::max(most, last - now);
        last = now;
        CHECK(hosted::tlbs_agree(fixture.space->page_table()));
    };
    REQUIRE(fixture.protect(page(0), kPages, kRead).ok());
    CHECK(turns >= kPages / 64 - 1);
    turns = 0;
    REQUIRE(fixture.unmap(page(0), kPages).ok());
    CHECK(turns >= kPages / 64 - 1);
    CHECK(most <= 64);
    CHECK(mapped_pages() == 0);
}

TEST_CASE("address space: a range of which nothing was touched goes at once") {
    Fixture fixture;
    const Ref<MemoryObject> huge = MemoryObject::create(*fixture.budget, arch::kUserEnd).take();
    const uint64_t length = arch::kUserEnd / 2;
    uint64_t turns = 0;
    hosted::on_preemption_point = [&] { ++turns; };
    REQUIRE(fixture.space->map(*huge, 0, kBase, length, kData, kAll).ok());
    CHECK(fixture.space->protect(kBase, length, kRead).ok());
    CHECK(fixture.space->protect(kBase, length, kData).ok());
    REQUIRE(fixture.writable(kBase + 10 * kMiB));
    CHECK(fixture.space->unmap(kBase, length).ok());
    CHECK(turns < 10);
}

TEST_CASE("address space: an ended process's mappings go piece by piece, and none is made") {
    Fixture fixture;
    const uint64_t bare = fixture.budget->used();
    REQUIRE(fixture.map(page(0), 1000, kData, kAll).ok());
    for (uint64_t i = 0; i < 1000; ++i) REQUIRE(fixture.writable(page(i)));
    for (uint64_t i = 0; i < 50; ++i) REQUIRE(fixture.map(page(5000 + 2 * i), 1, kRead, kAll).ok());
    hosted::run_in(nullptr);
    int steps = 0;
    while (fixture.space->retire_step()) ++steps;
    CHECK(steps >= 1000 / 64 + 50);
    CHECK_FALSE(fixture.space->retire_step());
    CHECK(fixture.map(page(0), 1, kData, kAll).error() == Error::SRCH);
    CHECK(fixture.space->map(*fixture.memory, 0, {}, kPageSize, kData, kAll).error() ==
          Error::SRCH);
    CHECK_FALSE(fixture.space->resolve_fault(page(0), Access::kRead));
    const uint64_t tree = 3 * kPageSize;
    CHECK(fixture.budget->used() == bare + fixture.memory->describe().committed + tree);
}

// ---- Two threads --------------------------------------------------------------------------------

// What hart 1 does at the n-th preemption point of hart 0's call.
template <typename Action>
void at_preemption_point(int which, Action action) {
    hosted::on_preemption_point = [which, action, count = 0]() mutable {
        if (++count != which) return;
        hosted::enter_hart({1});
        action();
        hosted::enter_hart({0});
    };
}

TEST_CASE("address space: what is mapped behind an unmapping stays") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 1000, kData, kAll).ok());
    for (uint64_t i = 0; i < 1000; ++i) REQUIRE(fixture.writable(page(i)));
    // The unmapping has passed page 64 and is about to go on with page 128.
    at_preemption_point(2, [&] {
        CHECK(fixture.map(page(10), 5, kRead, kAll).ok());
        CHECK(fixture.map(page(900), 1, kData, kAll).error() == Error::EXIST);
    });
    CHECK(fixture.unmap(page(0), 1000).ok());
    CHECK(fixture.readable(page(10)));
    CHECK(fixture.readable(page(14)));
    CHECK_FALSE(fixture.readable(page(15)));
    CHECK_FALSE(fixture.readable(page(900)));
}

TEST_CASE("address space: two unmap the same range") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 1000, kData, kAll).ok());
    for (uint64_t i = 0; i < 1000; ++i) REQUIRE(fixture.writable(page(i)));
    at_preemption_point(2, [&] {
        const auto keep = std::exchange(hosted::on_preemption_point, nullptr);
        CHECK(fixture.unmap(page(0), 1000).ok());
        // Across the place that the first has reached: all of it is newer.
        CHECK(fixture.map(page(100), 100, kData, kAll).ok());
        hosted::on_preemption_point = keep;
    });
    CHECK(fixture.unmap(page(0), 1000).ok());
    CHECK_FALSE(fixture.readable(page(99)));
    CHECK(fixture.readable(page(100)));
    CHECK(fixture.readable(page(199)));
}

TEST_CASE("address space: of two that protect one range, one has its way with all of it") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 500, kData, kAll).ok());
    for (uint64_t i = 0; i < 500; ++i) REQUIRE(fixture.writable(page(i)));
    at_preemption_point(3, [&] {
        const auto keep = std::exchange(hosted::on_preemption_point, nullptr);
        CHECK(fixture.protect(page(0), 500, kNone).ok());
        hosted::on_preemption_point = keep;
    });
    CHECK(fixture.protect(page(0), 500, kRead).ok());
    for (uint64_t i = 0; i < 500; ++i) REQUIRE_FALSE(fixture.readable(page(i)));
}

TEST_CASE("address space: a mapping that comes during a protect keeps to its own ceiling") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 500, kRead, kAll).ok());
    for (uint64_t i = 0; i < 500; ++i) REQUIRE(fixture.readable(page(i)));
    at_preemption_point(2, [&] {
        const auto keep = std::exchange(hosted::on_preemption_point, nullptr);
        CHECK(fixture.unmap(page(300), 10).ok());
        CHECK(fixture.map(page(300), 10, kRead, kRead).ok());
        hosted::on_preemption_point = keep;
    });
    CHECK(fixture.protect(page(0), 500, kData).ok());
    CHECK(fixture.writable(page(299)));
    CHECK_FALSE(fixture.writable(page(300)));
    CHECK_FALSE(fixture.writable(page(309)));
    CHECK(fixture.writable(page(310)));
}

TEST_CASE(
    "address space: rights that grow during a protect are seen, rights that shrink are gone") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 300, kData, kAll).ok());
    for (uint32_t hart = 0; hart < 2; ++hart) {
        hosted::enter_hart({hart});
        hosted::run_in(fixture.space.get());
        for (uint64_t i = 0; i < 300; ++i) REQUIRE(fixture.writable(page(i)));
    }
    hosted::enter_hart({0});
    // Half-way, hart 1 touches pages on both sides; then it may write nowhere.
    at_preemption_point(2, [&] {
        CHECK_FALSE(fixture.writable(page(1)));
        (void)fixture.writable(page(299));
        CHECK(fixture.readable(page(299)));
    });
    REQUIRE(fixture.protect(page(0), 300, kRead).ok());
    hosted::enter_hart({1});
    for (uint64_t i = 0; i < 300; ++i) REQUIRE_FALSE(fixture.writable(page(i)));
    hosted::enter_hart({0});
    // The page table does not say so yet, the mapping does.
    at_preemption_point(2, [&] { CHECK(fixture.writable(page(299))); });
    REQUIRE(fixture.protect(page(0), 300, kData).ok());
    hosted::enter_hart({1});
    for (uint64_t i = 0; i < 300; ++i) REQUIRE(fixture.writable(page(i)));
    hosted::enter_hart({0});
}
