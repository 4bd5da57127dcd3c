// The smoke test: a machine that has come up, and the handful of things that every other test
// relies on.
#include "harness.h"
#include "messages.h"
#include "workers.h"

namespace {

thread_local int per_thread = 41;
int relocated_target = 7;
int* relocated = &relocated_target;
int constructed_with = 0;
struct Constructed {
    Constructed() { constructed_with = 12; }
} constructed;

}  // namespace

TEST("a program starts with its data, its relocations and its constructors") {
    EXPECT_EQ(7, *relocated);
    EXPECT_EQ(12, constructed_with);
    EXPECT_EQ(41, per_thread);
}

TEST("a null system call answers 0") { EXPECT_STATUS(0, kairos_nop()); }

TEST("the program has itself") {
    EXPECT_EQ(KOBJ_TYPE_PROCESS,
              info_of<kairos_info_basic>(kairos_self_process(), KAIROS_INFO_BASIC).type);
    EXPECT_EQ(KOBJ_TYPE_ADDRESS_SPACE,
              info_of<kairos_info_basic>(kairos_self_aspace(), KAIROS_INFO_BASIC).type);
    EXPECT_EQ(KOBJ_TYPE_THREAD,
              info_of<kairos_info_basic>(kairos_self_thread(), KAIROS_INFO_BASIC).type);
    EXPECT_EQ(KAIROS_PROCESS_RUNNING, process_info(kairos_self_process()).state);
    EXPECT_EQ(KAIROS_THREAD_RUNNING, thread_info(kairos_self_thread()).state);
}

TEST("the program has what it was given and nothing else") {
    EXPECT_EQ(
        KOBJ_TYPE_RESOURCE,
        info_of<kairos_info_basic>(kairos_bootstrap(KAIROS_BOOT_RESOURCE), KAIROS_INFO_BASIC).type);
    EXPECT_EQ(
        KOBJ_TYPE_MEMORY,
        info_of<kairos_info_basic>(kairos_bootstrap(KAIROS_BOOT_ARCHIVE), KAIROS_INFO_BASIC).type);
    for (const uint32_t which : {KAIROS_BOOT_PARENT, KAIROS_BOOT_STDIN, KAIROS_BOOT_STDOUT,
                                 KAIROS_BOOT_STDERR, KAIROS_BOOT_USER0, KAIROS_BOOT_USER0 + 15}) {
        EXPECT_EQ(KAIROS_HANDLE_INVALID, kairos_bootstrap(which));
    }
    EXPECT_EQ(KAIROS_HANDLE_INVALID, kairos_bootstrap(KAIROS_BOOT_COUNT));
    EXPECT_EQ(KAIROS_HANDLE_INVALID, kairos_bootstrap(UINT32_MAX));
}

TEST("the clock goes forward") {
    kairos_time_t last = kairos_clock_now();
    for (int i = 0; i < 1000; ++i) {
        const kairos_time_t now = kairos_clock_now();
        EXPECT(now >= last);
        last = now;
    }
    const kairos_time_t deadline = last + 1'000'000;
    while (kairos_clock_now() < deadline) kairos_yield();
}

TEST("instructions are counted") {
    const uint64_t before = kairos_instret();
    kairos_nop();
    EXPECT(kairos_instret() != before);
}

TEST("the machine has harts and memory") {
    const auto system =
        info_of<kairos_info_system>(kairos_bootstrap(KAIROS_BOOT_RESOURCE), KAIROS_INFO_SYSTEM);
    EXPECT(system.harts >= 1);
    EXPECT(system.processes >= 2);  // the one that started this one, too
    EXPECT(system.objects > 0);
    EXPECT(system.memory_free > 0);
    EXPECT(system.memory_free < system.memory_total);
    EXPECT(system.uptime_ns > 0);
}

TEST("a thread runs on every hart") {
    const uint32_t harts = hart_count();
    for (uint32_t hart = 0; hart < harts; ++hart) {
        uint32_t seen = UINT32_MAX;
        Worker worker([&] {
            pin(hart);
            // Where it is to run it runs at the latest after having slept.
            kairos_sleep_until(kairos_clock_now() + 1);
            seen = thread_info(kairos_self_thread()).hart;
        });
        worker.join();
        EXPECT_EQ(hart, seen);
    }
}

TEST("all harts run at once") {
    const uint32_t harts = hart_count();
    std::atomic<uint32_t> running{0};
    std::atomic<uint32_t> hart{0};
    const auto spin = [&] {
        pin(hart.fetch_add(1));
        running.fetch_add(1);
        while (running.load() < harts) {
            // Without a system call: only another hart can change this.
        }
    };
    // As many as there are harts; each spins until the last has come.
    if (harts >= 2) {
        Worker one(spin);
        Worker two(spin);
        for (uint32_t i = 2; i < harts; ++i) {
            kairos_handle_t unjoined;
            REQUIRE_STATUS(0, kairos_thread_spawn(
                                  [](void* run) { (*static_cast<decltype(&spin)>(run))(); },
                                  const_cast<void*>(static_cast<const void*>(&spin)), &unjoined));
            kairos_handle_close(unjoined, 0);
        }
        one.join();
        two.join();
    }
    while (process_info(kairos_self_process()).threads != 1) kairos_yield();
}

TEST("two threads talk over a channel") {
    Channel channel;
    Worker echo([&] {
        Inbox inbox;
        while (inbox.receive(channel.b) == 1) {
            EXPECT_STATUS(0, send_value(channel.b, inbox.value<uint64_t>() + 1));
        }
    });
    Inbox inbox;
    uint64_t number = 0;
    for (int i = 0; i < 200; ++i) {
        REQUIRE_STATUS(0, send_value(channel.a, number));
        REQUIRE_STATUS(1, inbox.receive(channel.a));
        number = inbox.value<uint64_t>();
    }
    EXPECT_EQ(200u, number);
    channel.a.close();
    echo.join();
}

TEST("a thread that spins does not keep others from running") {
    std::atomic<bool> stop{false};
    Worker spinner([&] {
        pin(0);
        while (!stop.load()) {
            // Gives way only when it is made to.
        }
    });
    pin(0);
    for (int i = 0; i < 5; ++i) kairos_sleep_until(kairos_clock_now() + 1'000'000);
    stop = true;
    spinner.join();
}
