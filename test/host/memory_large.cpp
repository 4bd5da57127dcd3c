// Pages of 2 MiB: when memory in a row is shown by them, and that no sequence of maps, unmaps and
// protects of any part is seen to differ from small pages.
#include <random>
#include <vector>

#include "memory_fixture.h"

namespace {

using namespace memory_test;

constexpr uint64_t kLarge = 2 * kMiB;
constexpr uint64_t kPages = 3 * kLarge / kPageSize;
constexpr PhysicalAddress kRow{(hosted::kRamBase.value + hosted::kKernelRam + kLarge - 1) &
                               ~(kLarge - 1)};
static_assert(kRow.value + kPages * kPageSize <= hosted::kRamBase.value + hosted::kRamBytes);

struct Row : Fixture {
    Row() : row(MemoryObject::create_physical(*budget, kRow, kPages * kPageSize).take()) {}
    ~Row() { row = nullptr; }
    Status map_row(VirtualAddress at, uint64_t pages, Protection protection, uint64_t first = 0) {
        const auto mapped =
            space->map(*row, first * kPageSize, at, pages * kPageSize, protection, kAll);
        if (!mapped.ok()) return Fail(mapped.error());
        return {};
    }
    bool is_large(VirtualAddress at) const {
        const auto shown = space->page_table().lookup(at);
        return shown && shown->level == arch::PageLevel::k2MiB;
    }
    Ref<MemoryObject> row;
};

}  // namespace

TEST_CASE("large pages: where memory and addresses are aligned alike, and one mapping has all") {
    Row test;
    REQUIRE(test.map_row(kBase, kPages, kData).ok());
    CHECK(test.writable(kBase + 5 * kPageSize));
    CHECK(test.is_large(kBase));
    CHECK(test.is_large(kBase + (kLarge - 1)));
    CHECK(!test.space->page_table().lookup(kBase + kLarge));
    CHECK(test.space->page_table().lookup(kBase + 0x12345)->address == kRow + 0x12345);
    const VirtualAddress askew = kBase + 8 * kLarge;
    REQUIRE(test.map_row(askew, kPages - 1, kData, 1).ok());
    CHECK(test.writable(askew));
    CHECK(!test.is_large(askew));
    const VirtualAddress half = kBase + 16 * kLarge;
    REQUIRE(test.map_row(half, 256, kData).ok());
    CHECK(test.writable(half));
    CHECK(!test.is_large(half));
    const VirtualAddress placed =
        test.space->map(*test.row, kPageSize, {0}, kLarge * 2, kData, kData).take();
    CHECK(test.readable(placed + (kLarge - kPageSize)));
    CHECK(test.is_large(placed + (kLarge - kPageSize)));
}

TEST_CASE("large pages: a part that changes breaks them, the whole does not") {
    Row test;
    REQUIRE(test.map_row(kBase, kPages, kData).ok());
    CHECK(test.writable(kBase));
    REQUIRE(test.protect(kBase, 512, kRead).ok());
    CHECK(test.is_large(kBase));
    CHECK(!test.writable(kBase));
    CHECK(test.readable(kBase));
    REQUIRE(test.protect(page(100), 1, kNone).ok());
    CHECK(!test.readable(page(100)));
    CHECK(test.readable(page(99)));
    CHECK(test.readable(page(101)));
    CHECK(!test.is_large(page(101)));
    CHECK(test.writable(page(600)));
    REQUIRE(test.unmap(page(1000), 100).ok());
    CHECK(!test.readable(page(1000)));
    CHECK(!test.readable(page(1099)));
    CHECK(test.writable(page(999)));
    CHECK(test.writable(page(1100)));
}

TEST_CASE("large pages: random maps, unmaps and protects, against a reference") {
    Row test;
    struct Known {
        bool mapped = false;
        Protection protection;
    };
    std::vector<Known> known(kPages);
    std::mt19937 random(20);
    constexpr Protection kChoices[] = {kNone, kRead, kData, kReadCode};
    uint32_t large_seen = 0;
    for (uint32_t step = 0; step < 20'000; ++step) {
        // Whole blocks as often as any range.
        uint64_t first = random() % kPages;
        uint64_t count = std::min<uint64_t>(1 + random() % 300, kPages - first);
        if (random() % 2 == 0) {
            first = first / 512 * 512;
            count = 512;
        }
        const Protection protection = kChoices[random() % 4];
        const auto begin = known.begin() + static_cast<int64_t>(first);
        const auto end = begin + static_cast<int64_t>(count);
        const bool none = std::none_of(begin, end, [](const Known& at) { return at.mapped; });
        const bool all = std::all_of(begin, end, [](const Known& at) { return at.mapped; });
        switch (random() % 4) {
            case 0:
                REQUIRE(test.map_row(page(first), count, protection, first).ok() == none);
                if (none) std::fill(begin, end, Known{true, protection});
                break;
            case 1:
                if (random() % 3 != 0) break;
                REQUIRE(test.unmap(page(first), count).ok());
                std::fill(begin, end, Known{});
                break;
            case 2:
                REQUIRE(test.protect(page(first), count, protection).ok() == all);
                if (all) std::fill(begin, end, Known{true, protection});
                break;
            default:
                break;
        }
        for (uint32_t i = 0; i < 6; ++i) {
            const uint64_t at = i < 2 ? first : i < 4 ? first + count - 1 : random() % kPages;
            const Known& expected = known[at];
            REQUIRE(test.readable(page(at)) == (expected.mapped && expected.protection.read));
            REQUIRE(test.writable(page(at)) == (expected.mapped && expected.protection.write));
            REQUIRE(test.executable(page(at)) == (expected.mapped && expected.protection.execute));
            const auto shown = test.space->page_table().lookup(page(at));
            if (shown) REQUIRE(shown->address == kRow + at * kPageSize);
            large_seen += test.is_large(page(at)) ? 1 : 0;
        }
    }
    CHECK(large_seen > 1'000);
}
