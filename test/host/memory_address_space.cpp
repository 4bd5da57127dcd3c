// Address spaces: errors, protection, cutting, charges, placement.
#include "memory_fixture.h"

#include <algorithm>
#include <set>
#include <vector>

#include "mm/frames.h"

using namespace memory_test;

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
    const PhysicalAddress frame = memory->page(0).take().frame;
    memory = nullptr;
    hosted::settle();
    CHECK(fixture.readable(page(0)));
    CHECK(hosted::any_tlb_reaches(frame));
    const uint64_t free_before = mm::free_frames_count();
    REQUIRE(fixture.unmap(page(0), 1).ok());
    CHECK_FALSE(hosted::any_tlb_reaches(frame));
    hosted::settle();
    CHECK(mm::free_frames_count() >= free_before + 2);  // its page, and the tree's table
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
    // Left are the pages and the tables of the object, and of the page tables the last, which is
    // kept for what is mapped next, with its directory.
    const uint64_t memory = fixture.memory->describe().committed + 2 * kPageSize;
    CHECK(fixture.budget->used() == bare + memory + 2 * kPageSize);
    hosted::run_in(nullptr);
    while (fixture.space->retire_step()) {}
    CHECK(fixture.budget->used() == bare + memory);
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
    hosted::run_in(nullptr);
    while (fixture.space->retire_step()) {}
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
