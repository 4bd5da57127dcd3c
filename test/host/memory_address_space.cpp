// Address spaces: errors, placement, cutting, protection, charges, bounded work, and what happens
// when two threads change one range.
#include "memory/address_space.h"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <vector>

#include "hosted/kernel.h"
#include "hosted/machine.h"
#include "mm/frames.h"

namespace {

using arch::Access;

constexpr Protection kNone{};
constexpr Protection kRead{.read = true};
constexpr Protection kWrite{.write = true};
constexpr Protection kData{.read = true, .write = true};
constexpr Protection kCode{.execute = true};
constexpr Protection kReadCode{.read = true, .execute = true};
constexpr Protection kAll{.read = true, .write = true, .execute = true};
constexpr VirtualAddress kBase{0x4000'0000};
constexpr uint64_t kMiB = uint64_t{1} << 20;

constexpr VirtualAddress page(uint64_t number) { return kBase + number * kPageSize; }

// An address space that hart 0 runs in, with a budget of its own.
struct Fixture {
    explicit Fixture(uint64_t bytes = uint64_t{32} << 20) {
        Budget& root = hosted::kernel();
        hosted::settle();
        budget = Budget::create(root, bytes, root).take();
        space = AddressSpace::create(*budget).take();
        memory = MemoryObject::create(*budget, uint64_t{1} << 30).take();
        hosted::run_in(space.get());
    }
    ~Fixture() {
        hosted::on_preemption_point = nullptr;
        CHECK(hosted::tlbs_agree(space->page_table()));
        for (uint32_t i = 0; i < hosted::kHarts; ++i) {
            hosted::enter_hart({i});
            hosted::run_in(nullptr);
        }
        space = nullptr;
        memory = nullptr;
        hosted::settle();
        CHECK(budget->used() == 0);
    }

    Status map(VirtualAddress at, uint64_t pages, Protection protection, Protection ceiling,
               uint64_t first_page = 0) {
        const auto mapped =
            space->map(*memory, first_page * kPageSize, at, pages * kPageSize, protection, ceiling);
        if (!mapped.ok()) return Fail(mapped.error());
        CHECK(mapped.value() == at);
        return {};
    }
    Status unmap(VirtualAddress at, uint64_t pages) { return space->unmap(at, pages * kPageSize); }
    Status protect(VirtualAddress at, uint64_t pages, Protection protection) {
        return space->protect(at, pages * kPageSize, protection);
    }
    bool can(Access access, VirtualAddress at) {
        uint8_t byte = 1;
        return hosted::user_access(at, access, &byte, 1);
    }
    bool readable(VirtualAddress at) { return can(Access::kRead, at); }
    bool writable(VirtualAddress at) { return can(Access::kWrite, at); }
    bool executable(VirtualAddress at) { return can(Access::kExecute, at); }

    Ref<Budget> budget;
    Ref<AddressSpace> space;
    Ref<MemoryObject> memory;
};

}  // namespace

// ---- Errors -------------------------------------------------------------------------------------

TEST_CASE("address space: ranges that are none") {
    Fixture fixture;
    AddressSpace& space = *fixture.space;
    MemoryObject& memory = *fixture.memory;
    const uint64_t used = fixture.budget->used();
    struct Range {
        uint64_t start, length;
    };
    const Range wrong[] = {
        {kBase.value, 0},
        {kBase.value, 1},
        {kBase.value, kPageSize - 1},
        {kBase.value + 1, kPageSize},
        {kBase.value + kPageSize / 2, kPageSize},
        {arch::kUserEnd, kPageSize},
        {arch::kUserEnd - kPageSize, 2 * kPageSize},
        {arch::kUserBegin, arch::kUserEnd},
        {0xffff'ffff'ffff'f000, kPageSize},
        {0xffff'ffff'ffff'f000, 2 * kPageSize},
        {0xffff'ffc0'0000'0000, kPageSize},
        {kBase.value, 0 - kBase.value},
        {kBase.value, 0xffff'ffff'ffff'f000},
    };
    for (const Range& range : wrong) {
        CAPTURE(range.start);
        CAPTURE(range.length);
        CHECK(space.map(memory, 0, {range.start}, range.length, kData, kAll).error() ==
              Error::INVAL);
        CHECK(space.unmap({range.start}, range.length).error() == Error::INVAL);
        CHECK(space.protect({range.start}, range.length, kRead).error() == Error::INVAL);
    }
    // The first page is never mapped; 0 asks for a choice.
    CHECK(space.unmap({0}, kPageSize).error() == Error::INVAL);
    CHECK(space.protect({0}, kPageSize, kRead).error() == Error::INVAL);
    CHECK(space.map(memory, 0, {}, 0, kData, kAll).error() == Error::INVAL);
    CHECK(space.map(memory, 0, {}, 100, kData, kAll).error() == Error::INVAL);
    CHECK(fixture.budget->used() == used);
}

TEST_CASE("address space: parts of the object that are none") {
    Fixture fixture;
    const Ref<MemoryObject> small = MemoryObject::create(*fixture.budget, 4 * kPageSize).take();
    const auto map = [&](uint64_t offset, uint64_t length) {
        return fixture.space->map(*small, offset, {}, length, kData, kAll);
    };
    CHECK(map(0, 5 * kPageSize).error() == Error::INVAL);
    CHECK(map(3 * kPageSize, 2 * kPageSize).error() == Error::INVAL);
    CHECK(map(4 * kPageSize, kPageSize).error() == Error::INVAL);
    CHECK(map(1, kPageSize).error() == Error::INVAL);
    CHECK(map(0xffff'ffff'ffff'f000, kPageSize).error() == Error::INVAL);
    CHECK(map(0xffff'ffff'ffff'f000, 2 * kPageSize).error() == Error::INVAL);
    CHECK(map(kPageSize, 0xffff'ffff'ffff'f000).error() == Error::INVAL);
    CHECK(map(3 * kPageSize, kPageSize).ok());
}

TEST_CASE("address space: an address that is taken") {
    Fixture fixture;
    REQUIRE(fixture.map(page(10), 4, kData, kAll).ok());
    CHECK(fixture.map(page(10), 4, kData, kAll).error() == Error::EXIST);
    CHECK(fixture.map(page(9), 2, kData, kAll).error() == Error::EXIST);
    CHECK(fixture.map(page(13), 1, kData, kAll).error() == Error::EXIST);
    CHECK(fixture.map(page(0), 100, kData, kAll).error() == Error::EXIST);
    CHECK(fixture.map(page(9), 1, kData, kAll).ok());
    CHECK(fixture.map(page(14), 1, kData, kAll).ok());
}

TEST_CASE("address space: the first and the last page of user space") {
    Fixture fixture;
    const VirtualAddress first{arch::kUserBegin};
    const VirtualAddress last{arch::kUserEnd - kPageSize};
    CHECK(fixture.map(first, 1, kData, kAll).ok());
    CHECK(fixture.map(last, 1, kData, kAll).ok());
    CHECK(fixture.writable(first));
    CHECK(fixture.writable(last + (kPageSize - 1)));
    CHECK_FALSE(fixture.readable({arch::kUserBegin - 1}));
    CHECK_FALSE(fixture.readable({arch::kUserEnd}));
    CHECK(fixture.unmap(first, arch::kUserEnd / kPageSize - 1).ok());
    CHECK_FALSE(fixture.readable(first));
    CHECK_FALSE(fixture.readable(last));
}

// ---- Protection ---------------------------------------------------------------------------------

TEST_CASE("address space: what each protection allows") {
    Fixture fixture;
    struct Row {
        Protection protection;
        bool read, write, execute;
    };
    const Row rows[] = {{kNone, false, false, false}, {kRead, true, false, false},
                        {kWrite, true, true, false},  {kData, true, true, false},
                        {kCode, false, false, true},  {kReadCode, true, false, true}};
    uint64_t at = 0;
    for (const Row& row : rows) {
        // At mapping time, and by changing it with the page in the page table.
        REQUIRE(fixture.map(page(at), 1, row.protection, kAll).ok());
        REQUIRE(fixture.map(page(at + 1), 1, kData, kAll).ok());
        REQUIRE(fixture.writable(page(at + 1)));
        REQUIRE(fixture.protect(page(at + 1), 1, row.protection).ok());
        for (const VirtualAddress where : {page(at), page(at + 1)}) {
            CHECK(fixture.readable(where) == row.read);
            CHECK(fixture.writable(where) == row.write);
            CHECK(fixture.executable(where) == row.execute);
        }
        at += 2;
    }
}

TEST_CASE("address space: never writable and executable, never beyond the ceiling") {
    Fixture fixture;
    CHECK(fixture.map(page(0), 1, kAll, kAll).error() == Error::ACCES);
    CHECK(fixture.map(page(0), 1, kData, kRead).error() == Error::ACCES);
    CHECK(fixture.map(page(0), 1, kReadCode, kData).error() == Error::ACCES);
    CHECK(fixture.map(page(0), 1, kRead, kNone).error() == Error::ACCES);
    CHECK(fixture.map(page(0), 1, kNone, kNone).ok());
    CHECK(fixture.map(page(1), 1, kRead, kData).ok());
    CHECK(fixture.map(page(2), 1, kRead, kRead).ok());

    CHECK(fixture.protect(page(0), 1, kRead).error() == Error::ACCES);
    CHECK(fixture.protect(page(1), 1, kAll).error() == Error::ACCES);
    CHECK(fixture.protect(page(1), 1, kReadCode).error() == Error::ACCES);
    CHECK(fixture.protect(page(1), 2, kData).error() == Error::ACCES);
    CHECK_FALSE(fixture.writable(page(1)));  // a call that fails changes nothing
    CHECK(fixture.protect(page(1), 1, kData).ok());
    CHECK(fixture.writable(page(1)));
    CHECK(fixture.protect(page(1), 1, kNone).ok());
    CHECK(fixture.protect(page(1), 1, kData).ok());  // the ceiling stays what it was
    CHECK(fixture.protect(page(0), 3, kNone).ok());
}

TEST_CASE("address space: protecting what is not all mapped changes nothing") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 2, kData, kAll).ok());
    REQUIRE(fixture.map(page(3), 2, kData, kAll).ok());
    CHECK(fixture.protect(page(0), 5, kRead).error() == Error::INVAL);
    CHECK(fixture.protect(page(4), 2, kRead).error() == Error::INVAL);
    CHECK(fixture.protect(page(6), 1, kRead).error() == Error::INVAL);
    CHECK(fixture.writable(page(0)));
    CHECK(fixture.writable(page(4)));
}

TEST_CASE("address space: protecting a part of a mapping") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 10, kData, kAll).ok());
    for (uint64_t i = 0; i < 10; ++i) REQUIRE(fixture.writable(page(i)));
    REQUIRE(fixture.protect(page(3), 4, kRead).ok());
    for (uint64_t i = 0; i < 10; ++i) {
        CHECK(fixture.readable(page(i)));
        CHECK(fixture.writable(page(i)) == (i < 3 || i >= 7));
    }
    REQUIRE(fixture.protect(page(0), 10, kCode).ok());
    for (uint64_t i = 0; i < 10; ++i) CHECK(fixture.executable(page(i)));
}

// ---- Unmapping ----------------------------------------------------------------------------------

TEST_CASE("address space: unmapping a part cuts, and the rest shows what it showed") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 10, kData, kAll, 100).ok());
    for (uint64_t i = 0; i < 10; ++i) {
        const uint64_t stamp = 1000 + i;
        REQUIRE(fixture.space->write(page(i), &stamp, sizeof(stamp)));
    }
    REQUIRE(fixture.unmap(page(4), 2).ok());
    REQUIRE(fixture.unmap(page(0), 1).ok());
    REQUIRE(fixture.unmap(page(9), 3).ok());
    for (uint64_t i = 0; i < 10; ++i) {
        const bool gone = i == 0 || i == 4 || i == 5 || i == 9;
        uint64_t stamp = 0;
        CAPTURE(i);
        CHECK(hosted::user_access(page(i), Access::kRead, &stamp, sizeof(stamp)) == !gone);
        if (!gone) CHECK(stamp == 1000 + i);
    }
    // The pages are the object's, not the mapping's.
    REQUIRE(fixture.map(page(4), 1, kData, kAll, 104).ok());
    uint64_t stamp = 0;
    CHECK(hosted::user_access(page(4), Access::kRead, &stamp, sizeof(stamp)));
    CHECK(stamp == 1004);
}

TEST_CASE("address space: unmapping passes over what is not mapped") {
    Fixture fixture;
    CHECK(fixture.unmap(page(0), 1000).ok());
    REQUIRE(fixture.map(page(5), 1, kData, kAll).ok());
    REQUIRE(fixture.map(page(700), 1, kData, kAll).ok());
    REQUIRE(fixture.map(page(1000), 1, kData, kAll).ok());
    CHECK(fixture.unmap(page(0), 1000).ok());
    CHECK_FALSE(fixture.readable(page(5)));
    CHECK_FALSE(fixture.readable(page(700)));
    CHECK(fixture.readable(page(1000)));
}

TEST_CASE("address space: a mapping keeps its memory, and drops it when it goes") {
    Fixture fixture;
    Ref<MemoryObject> memory = MemoryObject::create(*fixture.budget, kPageSize).take();
    REQUIRE(fixture.space->map(*memory, 0, page(0), kPageSize, kData, kData).ok());
    REQUIRE(fixture.writable(page(0)));
    const PhysicalAddress frame = memory->page(0).take();
    memory = nullptr;
    hosted::settle();
    CHECK(fixture.readable(page(0)));
    CHECK(hosted::any_tlb_reaches(frame));
    const uint64_t free_before = mm::free_frames_count();
    REQUIRE(fixture.unmap(page(0), 1).ok());
    CHECK_FALSE(hosted::any_tlb_reaches(frame));
    hosted::settle();
    CHECK(mm::free_frames_count() >=
          free_before + 3);  // its page, the tree's table, the page table
}

TEST_CASE("address space: page tables come back with the last mapping that needs them") {
    Fixture fixture;
    const uint64_t bare = fixture.budget->used();
    REQUIRE(fixture.map(page(0), 1, kData, kAll).ok());
    REQUIRE(fixture.map(page(100'000), 1, kData, kAll).ok());
    REQUIRE(fixture.map(page(1), 1, kData, kAll).ok());
    REQUIRE(fixture.writable(page(0)));
    REQUIRE(fixture.writable(page(100'000)));
    REQUIRE(fixture.unmap(page(100'000), 1).ok());
    REQUIRE(fixture.unmap(page(0), 1).ok());
    REQUIRE(fixture.unmap(page(1), 1).ok());  // was never touched
    // Left are the one page and the tables of the object.
    CHECK(fixture.budget->used() == bare + fixture.memory->describe().committed + 2 * kPageSize);
}

TEST_CASE("address space: a table is given back by a mapping that never used it") {
    Fixture fixture;
    const uint64_t bare = fixture.budget->used();
    REQUIRE(fixture.map(page(300), 1000, kData, kAll).ok());  // across three tables
    REQUIRE(fixture.map(page(1400), 1, kData, kAll).ok());    // in the last of them
    REQUIRE(fixture.writable(page(1400)));
    REQUIRE(fixture.unmap(page(1400), 1).ok());
    CHECK(fixture.budget->used() > bare + 5 * kPageSize);
    REQUIRE(fixture.unmap(page(300), 1000).ok());
    CHECK(fixture.budget->used() == bare + fixture.memory->describe().committed + 2 * kPageSize);
}

TEST_CASE("address space: a budget that is used up does not keep anybody from unmapping") {
    Fixture fixture;
    REQUIRE(fixture.map(page(0), 8, kData, kAll).ok());
    REQUIRE(fixture.map(page(100), 8, kData, kAll).ok());
    Charge rest = fixture.budget->charge(fixture.budget->limit() - fixture.budget->used()).take();
    CHECK(fixture.map(page(50), 1, kData, kAll).error() == Error::DQUOT);
    CHECK(fixture.unmap(page(2), 1).error() == Error::DQUOT);
    CHECK(fixture.protect(page(2), 1, kRead).error() == Error::DQUOT);
    CHECK(fixture.protect(page(0), 8, kRead).ok());
    CHECK_FALSE(fixture.readable(page(0)));  // no table to be had
    CHECK(fixture.unmap(page(0), 2).ok());   // nothing to be cut in two
    CHECK(fixture.unmap(page(100), 8).ok());
    CHECK(fixture.unmap(page(4), 1).ok());  // what was freed suffices now
    rest.give_back();
    CHECK(fixture.readable(page(2)));
    CHECK_FALSE(fixture.readable(page(4)));
}

// ---- Placement ----------------------------------------------------------------------------------

TEST_CASE("address space: chosen places are apart, in user space, and not the same each time") {
    std::set<uint64_t> firsts;
    for (int round = 0; round < 8; ++round) {
        Fixture fixture;
        std::vector<VirtualAddress> chosen;
        for (int i = 0; i < 100; ++i) {
            const auto at = fixture.space->map(*fixture.memory, 0, {}, 3 * kPageSize, kData, kAll);
            REQUIRE(at.ok());
            REQUIRE(at.value() >= RoomSearch::kBegin);
            REQUIRE(arch::user_range(at.value(), 3 * kPageSize));
            chosen.push_back(at.value());
        }
        firsts.insert(chosen[0].value);
        std::sort(chosen.begin(), chosen.end());
        for (size_t i = 1; i < chosen.size(); ++i) {
            REQUIRE(chosen[i] - chosen[i - 1] >= 4 * kPageSize);
        }
    }
    CHECK(firsts.size() == 8);
}

TEST_CASE("address space: the last hole is found, and then there is none") {
    Fixture fixture;
    const Ref<MemoryObject> huge = MemoryObject::create(*fixture.budget, arch::kUserEnd).take();
    const auto reserve = [&](VirtualAddress from, VirtualAddress to) {
        return fixture.space->map(*huge, 0, from, to - from, kNone, kNone);
    };
    const VirtualAddress hole{uint64_t{77} << 30};
    REQUIRE(reserve(RoomSearch::kBegin, hole).ok());
    REQUIRE(reserve(hole + 5 * kPageSize, {arch::kUserEnd}).ok());
    const auto choose = [&](uint64_t pages) {
        return fixture.space->map(*huge, 0, {}, pages * kPageSize, kData, kAll);
    };
    CHECK(choose(6).error() == Error::NOMEM);
    const auto first = choose(3);
    REQUIRE(first.ok());
    CHECK(first.value() == hole);
    CHECK(choose(3).error() == Error::NOMEM);
    CHECK(choose(2).ok());
    CHECK(choose(1).error() == Error::NOMEM);
    CHECK(choose(arch::kUserEnd / kPageSize).error() == Error::NOMEM);
}

TEST_CASE("address space: looking for room among many mappings lets others run") {
    Fixture fixture;
    const Ref<MemoryObject> huge = MemoryObject::create(*fixture.budget, arch::kUserEnd).take();
    // All space reserved in pieces, with holes of one page between them.
    constexpr uint64_t kPieces = 2000;
    const uint64_t step = (arch::kUserEnd - RoomSearch::kBegin.value) / kPieces & ~(kPageSize - 1);
    for (uint64_t i = 0; i < kPieces; ++i) {
        const VirtualAddress at = RoomSearch::kBegin + i * step;
        const uint64_t length = i + 1 == kPieces ? arch::kUserEnd - at.value : step - kPageSize;
        REQUIRE(fixture.space->map(*huge, 0, at, length, kNone, kNone).ok());
    }
    uint64_t turns = 0;
    hosted::on_preemption_point = [&] { ++turns; };
    CHECK(fixture.space->map(*huge, 0, {}, 2 * kPageSize, kData, kAll).error() == Error::NOMEM);
    CHECK(turns >= kPieces / 64 - 1);
    CHECK(fixture.space->map(*huge, 0, {}, kPageSize, kData, kAll).ok());
}

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
    CHECK(space.write_from_user(page(1) + 1234, *other, page(500) + 9, pattern.size()));
    for (const uint64_t i : {uint64_t{0}, kPageSize, pattern.size() - 1}) {
        uint8_t byte = 0;
        REQUIRE(hosted::user_access(page(1) + (1234 + i), Access::kRead, &byte, 1));
        CHECK(byte == pattern[i]);
    }
    CHECK(space.write_from_user(page(5), space, page(1) + 1234, kPageSize));
    uint8_t byte = 0;
    CHECK(hosted::user_access(page(5) + 100, Access::kRead, &byte, 1));
    CHECK(byte == pattern[100]);

    CHECK(space.write_from_user({0}, *other, {0}, 0));
    CHECK_FALSE(space.write_from_user(page(0), *other, page(600), 1));  // execute-only
    CHECK_FALSE(space.write_from_user(page(0), *other, page(504), 1));
    CHECK_FALSE(space.write_from_user(page(8), *other, page(500), 1));
    CHECK_FALSE(space.write_from_user(page(0), *other, {arch::kUserEnd - 1}, 2));
    CHECK_FALSE(space.write_from_user({UINT64_MAX - 8}, *other, page(500), 16));
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
