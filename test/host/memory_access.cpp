// Page faults of an address space, and copies into it.
#include "memory_fixture.h"

#include <vector>

using namespace memory_test;

// ---- Faults -------------------------------------------------------------------------------------

TEST_CASE("address space: pages come when they are touched, and once") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 16, kData, kAll).ok());
    CHECK_FALSE(fixture.space->page_table().lookup(page(0)).has_value());
    CHECK(fixture.memory->describe().committed == 0);
    CHECK(fixture.readable(page(3) + 77));
    CHECK(fixture.memory->describe().committed == kPageSize);
    const auto frame = fixture.space->page_table().lookup(page(3))->address;
    for (uint32_t i = 0; i < hosted::kHarts; ++i) {
        hosted::enter_hart({i});
        hosted::run_in(fixture.space.get());
        CHECK(fixture.writable(page(3)));
        // A fault that somebody else has resolved.
        CHECK(fixture.space->resolve_fault(page(3), Access::kRead));
    }
    hosted::enter_hart({0});
    CHECK(fixture.space->page_table().lookup(page(3))->address == frame);
    CHECK(fixture.memory->describe().committed == kPageSize);
}

TEST_CASE("address space: faults that cannot be resolved") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 1, kRead, kAll).ok());
    AddressSpace& space = *fixture.space;
    CHECK_FALSE(space.resolve_fault(page(1), Access::kRead));
    CHECK_FALSE(space.resolve_fault(page(0), Access::kWrite));
    CHECK_FALSE(space.resolve_fault(page(0), Access::kExecute));
    CHECK_FALSE(space.resolve_fault({0}, Access::kRead));
    CHECK_FALSE(space.resolve_fault({arch::kUserEnd}, Access::kRead));
    CHECK_FALSE(space.resolve_fault({UINT64_MAX}, Access::kRead));
    CHECK_FALSE(space.resolve_fault({0xffff'ffc0'0000'0000}, Access::kRead));
    CHECK(space.resolve_fault(page(0) + 4095, Access::kRead));
}

TEST_CASE("address space: resolving a fault flushes nothing") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 200, kData, kAll).ok());
    const uint64_t before = hosted::flush_counts().flushes;
    for (uint64_t i = 0; i < 200; ++i) REQUIRE(fixture.writable(page(i)));
    for (uint64_t i = 0; i < 200; ++i)
        REQUIRE(fixture.space->resolve_fault(page(i), Access::kRead));
    CHECK(hosted::flush_counts().flushes == before);
}

TEST_CASE("address space: without memory a fault is not resolved, and later it is") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 1, kData, kAll).ok());
    for (uint64_t left = 0; left < 5; ++left) {  // of two page tables, two of the tree, one page
        const uint64_t available = fixture.budget->limit() - fixture.budget->used();
        Charge rest = fixture.budget->charge(available).take();
        CHECK_FALSE(fixture.readable(page(0)));
        rest.shrink(kPageSize);
        CHECK(fixture.readable(page(0)) == (left == 4));
    }
}

// ---- Copying ------------------------------------------------------------------------------------

TEST_CASE("address space: written from outside") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 4, kData, kAll).ok());
    REQUIRE(fixture.map(page(4), 1, kRead, kAll).ok());
    std::vector<uint8_t> bytes(3 * kPageSize, 0xab);
    AddressSpace& space = *fixture.space;
    CHECK(space.write(page(0) + 50, bytes.data(), bytes.size()));
    uint8_t last = 0;
    CHECK(hosted::user_access(page(3) + 49, Access::kRead, &last, 1));
    CHECK(last == 0xab);
    CHECK_FALSE(space.write(page(3), bytes.data(), kPageSize + 1));
    CHECK_FALSE(space.write(page(4), bytes.data(), 1));
    CHECK_FALSE(space.write(page(5), bytes.data(), 1));
    CHECK_FALSE(space.write({0}, bytes.data(), 1));
    CHECK(space.write({0}, nullptr, 0));
    CHECK_FALSE(space.write({arch::kUserEnd - 1}, bytes.data(), 2));
    CHECK_FALSE(space.write({UINT64_MAX}, bytes.data(), 2));
    CHECK_FALSE(space.write(page(0), bytes.data(), UINT64_MAX));
}

TEST_CASE("address space: straight from one to another, and to itself") {
    Fixture fixture;
    const Ref<AddressSpace> other = AddressSpace::create(*fixture.budget).take();
    const auto map_there = [&](VirtualAddress at, uint64_t pages, Protection protection) {
        return other->map(*fixture.memory, 32 * kPageSize, at, pages * kPageSize, protection, kAll)
            .ok();
    };
    REQUIRE(map_there(page(500), 4, kData));
    REQUIRE(map_there(page(600), 1, kCode));
    REQUIRE(fixture.map(page(0), 8, kData, kAll).ok());
    std::vector<uint8_t> pattern(3 * kPageSize);
    for (size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<uint8_t>(i * 7);
    REQUIRE(other->write(page(500) + 9, pattern.data(), pattern.size()));

    AddressSpace& space = *fixture.space;
    CHECK(space.write_from_user(page(1) + 1234, *other, page(500) + 9, pattern.size()) ==
          Copied::kAll);
    for (const uint64_t i : {uint64_t{0}, kPageSize, pattern.size() - 1}) {
        uint8_t byte = 0;
        REQUIRE(hosted::user_access(page(1) + (1234 + i), Access::kRead, &byte, 1));
        CHECK(byte == pattern[i]);
    }
    CHECK(space.write_from_user(page(5), space, page(1) + 1234, kPageSize) == Copied::kAll);
    uint8_t byte = 0;
    CHECK(hosted::user_access(page(5) + 100, Access::kRead, &byte, 1));
    CHECK(byte == pattern[100]);

    CHECK(space.write_from_user({0}, *other, {0}, 0) == Copied::kAll);
    CHECK(space.write_from_user(page(0), *other, page(600), 1) ==
          Copied::kBadSource);  // execute-only
    CHECK(space.write_from_user(page(0), *other, page(504), 1) == Copied::kBadSource);
    CHECK(space.write_from_user(page(8), *other, page(500), 1) == Copied::kBadDestination);
    CHECK(space.write_from_user(page(0), *other, {arch::kUserEnd - 1}, 2) == Copied::kBadSource);
    CHECK(space.write_from_user({UINT64_MAX - 8}, *other, page(500), 16) ==
          Copied::kBadDestination);
}

TEST_CASE("address space: a word is found by its memory, wherever it is mapped") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 4, kData, kAll, 10).ok());
    REQUIRE(fixture.map(page(50), 4, kRead, kAll, 12).ok());
    const auto first = fixture.space->locate(page(3) + 8);
    const auto second = fixture.space->locate(page(51) + 8);
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    CHECK(first.value() == second.value());
    CHECK(first.value().offset == 13 * kPageSize + 8);
    CHECK(fixture.space->locate(page(4)).error() == Error::FAULT);
    CHECK(fixture.space->locate({UINT64_MAX}).error() == Error::FAULT);
}
