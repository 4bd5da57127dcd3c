// Futexes: errors in their order, waking, keys by memory object and offset, other processes.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "roles.h"
#include "workers.h"

namespace {

// Wakes until `expected` have been woken: a sleeper that is seen blocked can be woken at once, but
// another may still be on its way.
void wake_exactly(const uint32_t* word, uint32_t expected) {
    EXPECT_STATUS(expected, kairos_futex_wake(word, UINT32_MAX));
    EXPECT_STATUS(0, kairos_futex_wake(word, UINT32_MAX));
}

// Two mappings of one page.
struct Twice {
    Twice() {
        for (char** address : {&first, &second}) {
            void* at = nullptr;
            REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &at, KAIROS_PAGE_SIZE,
                                         KPROT_READ | KPROT_WRITE));
            *address = static_cast<char*>(at);
        }
    }
    ~Twice() {
        kairos_unmap(kairos_self_aspace(), first, KAIROS_PAGE_SIZE);
        kairos_unmap(kairos_self_aspace(), second, KAIROS_PAGE_SIZE);
    }
    Owned memory = make_memory();
    char* first = nullptr;
    char* second = nullptr;
};

uint32_t* word_at(char* base, size_t offset) { return reinterpret_cast<uint32_t*>(base + offset); }

}  // namespace

TEST("wait and wake: bad addresses") {
    alignas(8) uint32_t words[2] = {5, 5};
    for (const int offset : {1, 2, 3}) {
        auto* odd = reinterpret_cast<uint32_t*>(reinterpret_cast<char*>(words) + offset);
        EXPECT_STATUS(-EINVAL, kairos_futex_wait(odd, 5, kPast));
        EXPECT_STATUS(-EINVAL, kairos_futex_wake(odd, 1));
    }
    const BadPointers bad;
    for (const BadPointer& pointer : bad.all) {
        const auto* word = static_cast<const uint32_t*>(pointer.address);
        if (&pointer == &bad.all[BadPointers::kCount - 1]) {
            // Read-only memory is good enough to look at.
            EXPECT_STATUS(-EAGAIN, kairos_futex_wait(word, 5, kPast));
            continue;
        }
        expect_fault(kairos_futex_wait(word, 5, kPast), pointer, "futex_wait", __FILE__, __LINE__);
    }
    for (const BadPointer& pointer : bad.all) {
        if (!pointer.out_of_range) continue;
        const auto* word = static_cast<const uint32_t*>(pointer.address);
        expect_fault(kairos_futex_wake(word, 1), pointer, "futex_wake", __FILE__, __LINE__);
    }
}

TEST("wait: the value is another one") {
    const uint32_t word = 5;
    EXPECT_STATUS(-EAGAIN, kairos_futex_wait(&word, 4, kForever));
    EXPECT_STATUS(-EAGAIN, kairos_futex_wait(&word, 0, kPast));
    EXPECT_STATUS(-EAGAIN, kairos_futex_wait(&word, 5 + (1u << 31), kForever));
}

TEST("wait: out of time") {
    const uint32_t word = 5;
    EXPECT_STATUS(-ETIMEDOUT, kairos_futex_wait(&word, 5, kPast));
    const kairos_time_t deadline = kairos_clock_now() + 1'000'000;
    EXPECT_STATUS(-ETIMEDOUT, kairos_futex_wait(&word, 5, deadline));
    EXPECT(kairos_clock_now() >= deadline);
    EXPECT_STATUS(0, kairos_futex_wake(&word, UINT32_MAX));
}

TEST("wake: nobody sleeps") {
    const uint32_t word = 5;
    EXPECT_STATUS(0, kairos_futex_wake(&word, 0));
    EXPECT_STATUS(0, kairos_futex_wake(&word, 1));
    EXPECT_STATUS(0, kairos_futex_wake(&word, UINT32_MAX));
}

TEST("wake: as many as asked for") {
    const uint32_t word = 0;
    const auto sleep = [&] { return kairos_futex_wait(&word, 0, kForever); };
    Blocked one(sleep);
    Blocked two(sleep);
    Blocked three(sleep);
    EXPECT_STATUS(0, kairos_futex_wake(&word, 0));
    EXPECT_STATUS(1, kairos_futex_wake(&word, 1));
    // The one that has slept longest.
    EXPECT_STATUS(0, one.result());
    EXPECT(two.still_sleeps());
    EXPECT(three.still_sleeps());
    wake_exactly(&word, 2);
    EXPECT_STATUS(0, two.result());
    EXPECT_STATUS(0, three.result());
}

TEST("wake: another word of the same page wakes nobody") {
    uint32_t words[4] = {};
    Blocked sleeper([&] { return kairos_futex_wait(&words[1], 0, kForever); });
    for (const int other : {0, 2, 3}) EXPECT_STATUS(0, kairos_futex_wake(&words[other], 1));
    EXPECT(sleeper.still_sleeps());
    wake_exactly(&words[1], 1);
    EXPECT_STATUS(0, sleeper.result());
}

TEST("wait: interrupted") {
    const uint32_t word = 0;
    Blocked sleeper([&] { return kairos_futex_wait(&word, 0, kForever); });
    sleeper.interrupt();
    EXPECT_STATUS(-EINTR, sleeper.result());
    EXPECT_STATUS(0, kairos_futex_wake(&word, 1));
}

TEST("the key is the memory, not the address") {
    const Twice twice;
    Blocked sleeper([&] { return kairos_futex_wait(word_at(twice.first, 64), 0, kForever); });
    EXPECT_STATUS(0, kairos_futex_wake(word_at(twice.second, 60), 1));
    EXPECT_STATUS(1, kairos_futex_wake(word_at(twice.second, 64), 1));
    EXPECT_STATUS(0, sleeper.result());
}

TEST("a sleeper stays when its mapping goes, and is woken through another") {
    const Twice twice;
    void* third = nullptr;
    REQUIRE_STATUS(
        0, kairos_map(kairos_self_aspace(), twice.memory, 0, &third, KAIROS_PAGE_SIZE, KPROT_READ));
    Blocked sleeper([&] { return kairos_futex_wait(static_cast<uint32_t*>(third), 0, kForever); });
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), third, KAIROS_PAGE_SIZE));
    EXPECT(sleeper.still_sleeps());
    EXPECT_STATUS(1, kairos_futex_wake(word_at(twice.first, 0), 1));
    EXPECT_STATUS(0, sleeper.result());
}

ROLE("sleeps on shared memory") {
    void* at = nullptr;
    const kairos_handle_t memory = kairos_bootstrap(KAIROS_BOOT_USER0);
    if (kairos_map(kairos_self_aspace(), memory, 0, &at, KAIROS_PAGE_SIZE,
                   KPROT_READ | KPROT_WRITE) != 0) {
        return 2;
    }
    auto* word = reinterpret_cast<std::atomic<uint32_t>*>(at);
    word->store(1);
    kairos_futex_wake(static_cast<uint32_t*>(at), 1);
    while (word->load() == 1) kairos_futex_wait(static_cast<uint32_t*>(at), 1, kForever);
    return static_cast<int>(word->load());
}

TEST("shared memory: another process sleeps and is woken") {
    const Twice twice;
    auto* word = reinterpret_cast<std::atomic<uint32_t>*>(twice.first);
    const Owned process = spawn_role("sleeps on shared memory",
                                     {{KAIROS_BOOT_USER0, duplicate(twice.memory).release()}});
    while (word->load() == 0) kairos_futex_wait(word_at(twice.first, 0), 0, kForever);
    word->store(42);
    kairos_futex_wake(word_at(twice.second, 0), 1);
    EXPECT_EQ(42, exit_code_of(process));
}

ROLE("wakes at an address") {
    const auto address = strtoull(harness::role_argv[0], nullptr, 16);
    // Whatever is there in this process, nobody sleeps on it.
    for (int i = 0; i < 100; ++i) {
        kairos_futex_wake(reinterpret_cast<const uint32_t*>(address), UINT32_MAX);
    }
    return 0;
}

TEST("private memory: the same address in another process is another word") {
    static uint32_t word = 0;
    Blocked sleeper([&] { return kairos_futex_wait(&word, 0, kForever); });
    char option[] = "--role";
    char role[] = "wakes at an address";
    char address[32];
    snprintf(address, sizeof(address), "%llx",
             static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(&word)));
    char* arguments[] = {harness::program_name, option, role, address, nullptr};
    Owned process;
    REQUIRE_STATUS(0, kairos_spawn("self", arguments, nullptr, 0, process.out()));
    EXPECT_EQ(0, exit_code_of(process));
    EXPECT(sleeper.still_sleeps());
    wake_exactly(&word, 1);
    EXPECT_STATUS(0, sleeper.result());
}

TEST("no wake is lost between two threads that take turns") {
    constexpr uint32_t kTurns = 3000;
    std::atomic<uint32_t> turn{0};
    const auto* word = reinterpret_cast<const uint32_t*>(&turn);
    const auto play = [&](uint32_t parity) {
        for (uint32_t mine = parity; mine < kTurns; mine += 2) {
            uint32_t now;
            while ((now = turn.load()) != mine) {
                const kairos_status_t status = kairos_futex_wait(word, now, kForever);
                if (!EXPECT_ONE_OF(ANY(0, -EAGAIN), status)) return;
            }
            turn.store(mine + 1);
            kairos_futex_wake(word, 1);
        }
    };
    Worker odd([&] { play(1); });
    play(0);
    odd.join();
    EXPECT_EQ(kTurns, turn.load());
}

TEST("every sleeper wakes once, with deadlines and wakes in a race") {
    constexpr int kRounds = 300;
    std::atomic<uint32_t> value{0};
    const auto* word = reinterpret_cast<const uint32_t*>(&value);
    std::atomic<uint32_t> woken{0};
    std::atomic<bool> stop{false};
    const auto sleep = [&] {
        while (!stop.load()) {
            const kairos_status_t status = kairos_futex_wait(word, 0, kairos_clock_now() + 20'000);
            if (!EXPECT_ONE_OF(ANY(0, -ETIMEDOUT), status)) return;
            if (status == 0) woken.fetch_add(1);
        }
    };
    uint32_t told = 0;
    {
        Worker one(sleep);
        Worker two(sleep);
        Worker three(sleep);
        for (int i = 0; i < kRounds; ++i) {
            const kairos_status_t count = kairos_futex_wake(word, 2);
            if (!EXPECT(count >= 0 && count <= 2)) break;
            told += static_cast<uint32_t>(count);
            kairos_yield();
        }
        stop = true;
    }
    EXPECT_EQ(told, woken.load());
}
