// Who gets to run: processes of one priority alike, lower priorities now and then, and priorities
// only as far as a process's ceiling goes. Nothing here is timed: programs count, and counts are
// compared.
#include "harness.h"
#include "roles.h"
#include "workers.h"

namespace {

// What spinning processes count in; each has a part of its own.
constexpr uint32_t kParts = 2;
struct Counts {
    std::atomic<uint64_t> value[kParts];
    std::atomic<uint32_t> ready;
};

Counts* map_counts(kairos_handle_t memory) {
    void* address = nullptr;
    REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address, KAIROS_PAGE_SIZE,
                                 KPROT_READ | KPROT_WRITE));
    return static_cast<Counts*>(address);
}

Owned spawn_spinner(const char* role, const Owned& memory) {
    Owned copy = duplicate(memory);
    Owned process = spawn_role(role, {{KAIROS_BOOT_USER0, copy}});
    static_cast<void>(copy.release());
    return process;
}

struct Spinner {
    Counts* counts;
    uint32_t part;
};

[[noreturn]] void spin(const Spinner& spinner) {
    pin(0);
    spinner.counts->ready.fetch_add(1);
    while (true) {
        for (int i = 0; i < 1000; ++i) asm volatile("");
        spinner.counts->value[spinner.part].fetch_add(1, std::memory_order_relaxed);
    }
}

constexpr uint32_t kCrowd = 50;

}  // namespace

ROLE("spins alone") { spin({map_counts(kairos_bootstrap(KAIROS_BOOT_USER0)), 0}); }

ROLE("spins with fifty threads") {
    static Spinner spinner{map_counts(kairos_bootstrap(KAIROS_BOOT_USER0)), 1};
    for (uint32_t i = 1; i < kCrowd; ++i) {
        REQUIRE_STATUS(0, kairos_thread_spawn([](void*) { spin(spinner); }, nullptr, nullptr));
    }
    spin(spinner);
}

TEST("a process with fifty threads gets no more than one with a single thread") {
    // Above them both, so that it sees them go on whatever they do.
    REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), KPRIORITY_USUAL + 1));
    const Owned memory = make_memory();
    Counts& counts = *map_counts(memory);
    const Owned crowd = spawn_spinner("spins with fifty threads", memory);
    const Owned one = spawn_spinner("spins alone", memory);
    while (counts.ready.load() != kCrowd + 1) kairos_sleep_until(kairos_clock_now() + 1'000'000);
    const uint64_t before[kParts] = {counts.value[0], counts.value[1]};
    uint64_t gained[kParts] = {};
    const auto alike = [&] { return gained[0] < 4 * gained[1] && gained[1] < 4 * gained[0]; };
    // A slice is of time, not of instructions, and an emulator does not do as much in each. What
    // that does evens out if one counts for longer; fifty to one does not.
    while (gained[0] + gained[1] < 100'000 || !alike()) {
        kairos_sleep_until(kairos_clock_now() + 10'000'000);
        for (uint32_t i = 0; i < kParts; ++i) gained[i] = counts.value[i] - before[i];
        if (gained[0] + gained[1] > 10'000'000) break;
    }
    EXPECT(alike());
    for (const Owned* process : {&crowd, &one}) {
        REQUIRE_STATUS(0, kairos_process_kill(*process, 0));
        exit_code_of(*process);
    }
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), &counts, KAIROS_PAGE_SIZE));
}

TEST("below real time the lowest priority goes on while others never stop") {
    std::atomic<bool> over{false};
    std::atomic<int> waiting{3};
    const auto below = [&](uint32_t priority) {
        return [&, priority] {
            pin(0);
            REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), priority));
            kairos_yield();
            waiting.fetch_sub(1);
        };
    };
    Worker busy([&] {
        pin(0);
        REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), KPRIORITY_USUAL + 3));
        while (!over) asm volatile("");
    });
    Worker low(below(KPRIORITY_IDLE));
    Worker middle(below(KPRIORITY_USUAL));
    Worker high(below(KPRIORITY_USUAL + 2));
    // On one hart this thread, too, lives on what is lent.
    low.join();
    middle.join();
    high.join();
    EXPECT_EQ(0, waiting.load());
    over = true;
}

TEST("two hundred threads of one process are switched between, and go") {
    std::atomic<uint32_t> ran{0};
    constexpr uint32_t kThreads = 200;
    Owned threads[kThreads];
    for (Owned& thread : threads) {
        REQUIRE_STATUS(0, kairos_thread_spawn(
                              [](void* at) {
                                  for (int i = 0; i < 3; ++i) kairos_yield();
                                  static_cast<std::atomic<uint32_t>*>(at)->fetch_add(1);
                              },
                              &ran, thread.out()));
    }
    for (Owned& thread : threads) {
        EXPECT_STATUS(0, kairos_thread_join(thread, KAIROS_TIME_INFINITE));
    }
    EXPECT_EQ(kThreads, ran.load());
}

// ---- Ceilings -----------------------------------------------------------------------------------

ROLE("raises itself as far as it can") {
    for (uint32_t priority = KPRIORITY_MAX; priority > 0; --priority) {
        const kairos_status_t status = kairos_thread_set_priority(kairos_self_thread(), priority);
        if (status == 0) return static_cast<int>(priority);
        if (status != -EACCES) return 100;
    }
    return 0;
}

ROLE("gives a child more than it has") {
    Owned process;
    Owned space;
    if (kairos_process_create("child", 0, process.out(), space.out()) != 0) return 1;
    if (kairos_process_set_priority_ceiling(process, KPRIORITY_USUAL + 1) != -EACCES) return 2;
    if (kairos_process_set_priority_ceiling(process, KPRIORITY_USUAL) != 0) return 3;
    return static_cast<int>(exit_code_of(spawn_role("raises itself as far as it can")));
}

Owned spawn_below(uint32_t ceiling, const char* role) {
    char option[] = "--role";
    char* arguments[] = {harness::program_name, option, const_cast<char*>(role), nullptr};
    const kairos_spawn_options options = {KAIROS_HANDLE_INVALID, ceiling};
    Owned process;
    REQUIRE_STATUS(0, kairos_spawn_with(&options, "self", arguments, nullptr, 0, process.out()));
    return process;
}

TEST("a child may do what its creator may, or less") {
    EXPECT_EQ(int64_t{KPRIORITY_MAX}, run_role("raises itself as far as it can"));
    for (const uint32_t ceiling : {KPRIORITY_REAL_TIME - 1, KPRIORITY_USUAL, 3u, 0u}) {
        EXPECT_EQ(int64_t{ceiling},
                  exit_code_of(spawn_below(ceiling, "raises itself as far as it can")));
    }
    EXPECT_EQ(int64_t{KPRIORITY_USUAL},
              exit_code_of(spawn_below(KPRIORITY_USUAL, "gives a child more than it has")));
}

TEST("a ceiling: errors in their order, and only before the start") {
    const Owned event = make_event();
    Owned process;
    Owned space;
    Owned thread;
    REQUIRE_STATUS(0, kairos_process_create("p", 0, process.out(), space.out()));
    REQUIRE_STATUS(0, kairos_thread_create(process, "t", thread.out()));
    const Owned mute = without(process, KRIGHT_MANAGE);
    EXPECT_STATUS(-EINVAL, kairos_process_set_priority_ceiling(closed_handle(), KPRIORITY_MAX + 1));
    EXPECT_STATUS(-EBADF, kairos_process_set_priority_ceiling(closed_handle(), 0));
    EXPECT_STATUS(-ENOTSUP, kairos_process_set_priority_ceiling(event, 0));
    EXPECT_STATUS(-EACCES, kairos_process_set_priority_ceiling(mute, 0));
    EXPECT_STATUS(-EINVAL, kairos_process_set_priority_ceiling(kairos_self_process(), 0));
    EXPECT_STATUS(0, kairos_process_set_priority_ceiling(process, 5));
    EXPECT_STATUS(-EACCES, kairos_thread_set_priority(thread, 6));
    EXPECT_STATUS(0, kairos_thread_set_priority(thread, 5));
    EXPECT_STATUS(0, kairos_process_set_priority_ceiling(process, 4));
    EXPECT_STATUS(0, kairos_process_start(process, thread, 0, 0, 0, 0));
    EXPECT_EQ(4u, thread_info(thread).priority);
    EXPECT_EQ(-EFAULT, exit_code_of(process));
}
