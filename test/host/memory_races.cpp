// Harts at once, each a host thread: one uses pages while another takes them away. A store that
// lands after unmap or protect has returned would show.
#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "hosted/kernel.h"
#include "hosted/machine.h"
#include "memory/address_space.h"

namespace {

using arch::Access;

constexpr Protection kRead{.read = true};
constexpr Protection kData{.read = true, .write = true};
constexpr VirtualAddress kPage{0x7000'0000};

// An address space of which harts 1 and up are users, each in a thread of its own.
struct Race {
    Race() {
        Budget& root = hosted::kernel();
        hosted::settle();
        budget = Budget::create(root, uint64_t{16} << 20, root).take();
        space = AddressSpace::create(*budget).take();
        memory = MemoryObject::create(*budget, 512 * kPageSize).take();
    }
    ~Race() {
        hosted::enter_hart({0});
        space = nullptr;
        memory = nullptr;
        hosted::settle();
        CHECK(budget->used() == 0);
    }

    // Has a hart do `work` over and over; returns when it has been done once.
    template <typename Work>
    void start(uint32_t hart, Work work) {
        const uint64_t before = rounds.load();
        threads.emplace_back([this, hart, work]() mutable {
            hosted::enter_hart({hart});
            hosted::run_in(space.get());
            while (!stop.load(std::memory_order_relaxed)) {
                work();
                ++rounds;
            }
            hosted::run_in(nullptr);
        });
        while (rounds.load() == before) std::this_thread::yield();
    }
    void join() {
        stop = true;
        for (std::thread& thread : threads) thread.join();
    }

    std::atomic<uint64_t>& word(uint64_t page) {
        return *static_cast<std::atomic<uint64_t>*>(
            arch::physical_pointer(memory->page(page).take().frame));
    }

    Ref<Budget> budget;
    Ref<AddressSpace> space;
    Ref<MemoryObject> memory;
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> rounds{0};
    std::vector<std::thread> threads;
};

}  // namespace

//      harts 1 and 2                hart 0
//      store 1 to the page
//      store 1 to the page          unmap (or protect) the page
//      store fails                  returned: write 2 to the frame
//      store fails                  look again: still 2?
TEST_CASE("races: no store lands after the page is gone, in ten thousand rounds") {
    Race race;
    std::atomic<uint64_t> stores{0};
    for (uint32_t hart = 1; hart < 3; ++hart) {
        race.start(hart, [&] {
            uint64_t one = 1;
            if (hosted::user_access(kPage, Access::kWrite, &one, sizeof(one))) {
                ++stores;
            } else {
                std::this_thread::yield();
            }
        });
    }
    uint64_t late = 0;
    for (uint64_t round = 0; round < 10'000; ++round) {
        const uint64_t page = round % 4;
        REQUIRE(race.space->map(*race.memory, page * kPageSize, kPage, kPageSize, kData, kData));
        const uint64_t seen = stores.load();
        for (int i = 0; i < 20 && stores.load() == seen; ++i) std::this_thread::yield();
        if (round % 2 == 0) {
            REQUIRE(race.space->unmap(kPage, kPageSize).ok());
        } else {
            REQUIRE(race.space->protect(kPage, kPageSize, kRead).ok());
        }
        race.word(page) = 2;
        std::this_thread::yield();
        if (race.word(page) != 2) ++late;
        if (round % 2 != 0) REQUIRE(race.space->unmap(kPage, kPageSize).ok());
    }
    race.join();
    CHECK(late == 0);
    CHECK(stores > 1'000);
}

TEST_CASE("races: harts that touch the same pages at once share them") {
    Race race;
    constexpr uint64_t kPages = 400;
    REQUIRE(race.space->map(*race.memory, 0, kPage, kPages * kPageSize, kData, kData));
    std::atomic<uint64_t> failed{0};
    std::atomic<uint32_t> done{0};
    for (uint32_t hart = 1; hart < hosted::kHarts; ++hart) {
        race.threads.emplace_back([&, hart] {
            hosted::enter_hart({hart});
            hosted::run_in(race.space.get());
            for (uint64_t page = 0; page < kPages; ++page) {
                uint64_t own = hart;
                const VirtualAddress at = kPage + (page * kPageSize + hart * sizeof(own));
                if (!hosted::user_access(at, Access::kWrite, &own, sizeof(own))) ++failed;
            }
            ++done;
            hosted::run_in(nullptr);
        });
    }
    race.join();
    CHECK(failed == 0);
    CHECK(race.memory->describe().committed == kPages * kPageSize);
    for (uint64_t page = 0; page < kPages; ++page) {
        const auto* words = reinterpret_cast<const uint64_t*>(&race.word(page));
        for (uint64_t hart = 1; hart < hosted::kHarts; ++hart) REQUIRE(words[hart] == hart);
    }
}

TEST_CASE("races: protections that come and go are never exceeded and always arrive") {
    Race race;
    REQUIRE(race.space->map(*race.memory, 0, kPage, 64 * kPageSize, kData, kData));
    std::atomic<uint64_t> lost{0};
    for (uint32_t hart = 1; hart < hosted::kHarts; ++hart) {
        race.start(hart, [&, random = std::mt19937(hart)]() mutable {
            uint64_t word = 1;
            const VirtualAddress at = kPage + random() % 64 * kPageSize;
            // It may always be read, whatever is going on.
            if (!hosted::user_access(at, Access::kRead, &word, sizeof(word))) ++lost;
            (void)hosted::user_access(at, Access::kWrite, &word, sizeof(word));
        });
    }
    for (int round = 0; round < 1'000; ++round) {
        REQUIRE(race.space->protect(kPage + 8 * kPageSize, 40 * kPageSize, kRead).ok());
        REQUIRE(hosted::tlbs_agree(race.space->page_table()));
        REQUIRE(race.space->protect(kPage, 64 * kPageSize, kData).ok());
        if (round % 8 == 0) std::this_thread::yield();
    }
    race.join();
    CHECK(race.rounds > 1'000);
    CHECK(lost == 0);
}

TEST_CASE("races: harts that map, use and unmap at chosen places keep out of each other's way") {
    Race race;
    std::atomic<uint64_t> wrong{0};
    for (uint32_t hart = 1; hart < hosted::kHarts; ++hart) {
        race.threads.emplace_back([&, hart] {
            hosted::enter_hart({hart});
            hosted::run_in(race.space.get());
            std::mt19937 random(hart);
            for (int round = 0; round < 2'000; ++round) {
                const uint64_t pages = 1 + random() % 8;
                const auto at = race.space->map(*race.memory, hart * 16 * kPageSize, {},
                                                pages * kPageSize, kData, kData);
                if (!at.ok()) {
                    ++wrong;
                    continue;
                }
                uint64_t own = hart * 1'000'000 + static_cast<uint64_t>(round);
                const VirtualAddress last = at.value() + (pages - 1) * kPageSize;
                uint64_t back = 0;
                if (!hosted::user_access(last, Access::kWrite, &own, sizeof(own))) ++wrong;
                if (!hosted::user_access(last, Access::kRead, &back, sizeof(back))) ++wrong;
                if (back != own) ++wrong;
                if (!race.space->unmap(at.value(), pages * kPageSize).ok()) ++wrong;
                // From here on the place may be another hart's.
            }
            hosted::run_in(nullptr);
        });
    }
    race.join();
    CHECK(wrong == 0);
}
