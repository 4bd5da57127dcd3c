// The same again and again: a program is started, does random things with channels, memory,
// threads, timers and clones, and ends, by itself or killed, leaving all of it behind. What the
// system holds is said before and after, and has to be the same.
//
//     soak [CYCLES [SEED]]
//
// `make soak` lets it run for long.
#include <stdlib.h>

#include "leaks.h"
#include "messages.h"
#include "packets.h"
#include "workers.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint32_t kCycles = 150;       // without argument
constexpr uint32_t kWarmUpCycles = 50;  // until every hart has its small stock of everything
constexpr uint32_t kOperations = 6;     // of a child
constexpr int64_t kChildCode = 7;
constexpr int64_t kKilled = 41;

// ---- What a child does: nothing is given back by itself -----------------------------------------

void leave_messages(Random& random) {
    kairos_handle_t ends[2];
    REQUIRE_STATUS(0, kairos_channel_create(0, &ends[0], &ends[1]));
    static char payload[3 * kPage];
    for (uint32_t messages = random.below(6); messages > 0; --messages) {
        kairos_handle_t handles[2] = {make_event().release(), make_timer().release()};
        const kairos_channel_msg message =
            message_of(payload, random.below(2) == 0 ? 16 : sizeof(payload), handles, 2);
        REQUIRE_STATUS(0, kairos_channel_send(ends[random.below(2)], &message, 0, kForever));
    }
    // The ends in one of their own queues: nobody can reach them any more.
    if (random.below(3) != 0) return;
    kairos_handle_t other[2];
    REQUIRE_STATUS(0, kairos_channel_create(0, &other[0], &other[1]));
    REQUIRE_STATUS(0, send_handles(ends[0], other, 2));
    kairos_handle_close(ends[0], 0);
}

void leave_memory(Random& random) {
    const uint64_t size = (1 + random.below(600)) * kPage;
    const Owned memory = make_memory(size);
    void* address = nullptr;
    REQUIRE_STATUS(
        0, kairos_map(kairos_self_aspace(), memory, 0, &address, size, KPROT_READ | KPROT_WRITE));
    auto* bytes = static_cast<volatile char*>(address);
    for (int i = 0; i < 8; ++i) bytes[random.below(size / kPage) * kPage] = 1;
    if (random.below(2) == 0) return;
    Owned clone;
    REQUIRE_STATUS(0, kairos_memory_clone(memory, 0, size, 0, clone.out()));
    for (int i = 0; i < 4; ++i) bytes[random.below(size / kPage) * kPage] = 2;
    const uint64_t half = size / 2 / kPage * kPage;
    if (half != 0) REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), address, half));
    static_cast<void>(clone.release());
}

void leave_threads(Random& random) {
    for (uint32_t threads = random.below(4); threads > 0; --threads) {
        const auto sleep = [](void* value) {
            if (value != nullptr) kairos_sleep_until(kForever);
        };
        kairos_handle_t thread = KAIROS_HANDLE_INVALID;
        const bool sleeps = random.below(2) == 0;
        REQUIRE_STATUS(0, kairos_thread_spawn(sleep, sleeps ? &random : nullptr, &thread));
        if (!sleeps) REQUIRE_STATUS(0, kairos_thread_join(thread, kForever));
    }
}

void leave_timers(Random& random) {
    const kairos_handle_t port = make_port().release();
    for (uint32_t timers = random.below(5); timers > 0; --timers) {
        const kairos_handle_t timer = make_timer().release();
        REQUIRE_STATUS(0, kairos_port_bind(port, timer, timers, KPORT_BIND_TIMER));
        REQUIRE_STATUS(0, kairos_timer_set(timer, kairos_clock_now() + random.below(100'000),
                                           random.below(2) * 50'000));
    }
    kairos_port_packet packet;
    static_cast<void>(poll_packet(port, packet));
}

void leave_handles(Random& random) {
    Owned event = make_event();
    kairos_handle_t last = event.release();
    for (uint32_t copies = random.below(20); copies > 0; --copies) {
        const kairos_handle_t copy = duplicate(last).release();
        if (random.below(3) == 0) REQUIRE_STATUS(0, kairos_handle_revoke(last));
        if (is_valid(copy)) last = copy;
    }
}

// Ends with kChildCode; or is killed at some moment, and until then sleeps. Calls may fail because
// it is being killed already: that is no failure to be reported, and one that has another reason
// ends it with another code than that of the kill.
int be_child(uint64_t seed, bool doomed) {
    if (doomed) harness::running.failures = 1;
    Random random(seed);
    constexpr void (*kKinds[])(Random&) = {leave_messages, leave_memory, leave_threads,
                                           leave_timers, leave_handles};
    for (uint32_t i = 0; i < kOperations; ++i) kKinds[random.below(std::size(kKinds))](random);
    if (doomed) kairos_sleep_until(kForever);
    return harness::running.failures == 0 ? static_cast<int>(kChildCode) : 1;
}

// ---- What starts them ---------------------------------------------------------------------------

char* program_name;

void run_cycle(Random& random) {
    char option[] = "--child";
    char seed[24];
    snprintf(seed, sizeof(seed), "%llu", static_cast<unsigned long long>(random.next() >> 1));
    const bool killed = random.below(4) == 0;
    char doomed[] = "doomed";
    char* arguments[] = {program_name, option, seed, killed ? doomed : nullptr, nullptr};
    Owned process;
    REQUIRE_STATUS(0, kairos_spawn("self", arguments, nullptr, 0, process.out()));
    if (killed) {
        for (uint32_t yields = random.below(100); yields > 0; --yields) kairos_yield();
        REQUIRE_STATUS(0, kairos_process_kill(process, kKilled));
    }
    int64_t code = 0;
    REQUIRE_STATUS(0, kairos_process_wait(process, kForever, &code));
    REQUIRE_EQ(killed ? kKilled : kChildCode, code);
}

struct Counts {
    harness::Holdings held = harness::Holdings::settled();
    uint64_t budget = info_of<kairos_info_budget>(kairos_self_process(), KAIROS_INFO_BUDGET).used;

    void say(const char* when) const {
        harness::print(
            "    %s: %lld objects, %lld handles, %llu bytes charged, %lld bytes free", when,
            static_cast<long long>(held.objects), static_cast<long long>(held.handles),
            static_cast<unsigned long long>(budget), static_cast<long long>(held.memory_free));
    }
};

int soak(uint32_t cycles, uint64_t seed) {
    harness::running.name = "random programs, again and again: nothing grows";
    Random random(seed);
    for (uint32_t i = 0; i < kWarmUpCycles; ++i) run_cycle(random);
    const Counts before;
    before.say("before");
    for (uint32_t i = 0; i < cycles; ++i) run_cycle(random);
    const Counts after;
    after.say("after");
    EXPECT_EQ(before.held.objects, after.held.objects);
    EXPECT_EQ(before.budget, after.budget);
    // Of free memory the kernel may keep a little more aside than before (leaks.h).
    EXPECT(after.held.is_back(before.held, harness::Holdings::kAll));
    harness::print("    %u cycles, seed %llu", static_cast<unsigned>(cycles),
                   static_cast<unsigned long long>(seed));
    if (harness::running.failures == 0) harness::print("ok %s", harness::running.name);
    harness::print("done 1 cases");
    return harness::running.failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 2 && strcmp(argv[1], "--child") == 0) {
        return be_child(strtoull(argv[2], nullptr, 10), argc > 3);
    }
    program_name = argv[0];
    const uint32_t cycles =
        argc > 1 ? static_cast<uint32_t>(strtoul(argv[1], nullptr, 10)) : kCycles;
    return soak(cycles, argc > 2 ? strtoull(argv[2], nullptr, 10) : kairos_clock_now());
}
