// Timers, sleep and the clock: never early, disarmed, periodic, far in the future, in the past.
// Nothing here says how late an expiry may be.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "race.h"

namespace {

constexpr uint64_t kMillisecond = 1'000'000;

void bind(kairos_handle_t port, kairos_handle_t timer, uint64_t key = 1) {
    REQUIRE_STATUS(0, kairos_port_bind(port, timer, key, KPORT_BIND_TIMER));
}

}  // namespace

// ---- Sleep --------------------------------------------------------------------------------------

TEST("sleep: what has passed returns at once, the rest never early") {
    EXPECT_STATUS(0, kairos_sleep_until(0));
    EXPECT_STATUS(0, kairos_sleep_until(kairos_clock_now()));
    for (const uint64_t length : {uint64_t{1}, uint64_t{1000}, kMillisecond, 3 * kMillisecond}) {
        const kairos_time_t deadline = kairos_clock_now() + length;
        EXPECT_STATUS(0, kairos_sleep_until(deadline));
        EXPECT(kairos_clock_now() >= deadline);
    }
}

TEST("sleep: interrupted, from a short sleep and from one for ever") {
    Blocked for_ever([&] { return kairos_sleep_until(kForever); });
    for_ever.interrupt();
    EXPECT_STATUS(-EINTR, for_ever.result());
    Blocked long_sleep([&] { return kairos_sleep_until(kForever - 1); });
    long_sleep.interrupt();
    EXPECT_STATUS(-EINTR, long_sleep.result());
}

TEST("sleep: many at once wake in any order, none early") {
    const auto sleep = [&](uint64_t seed) {
        Random random(seed);
        for (int i = 0; i < 20; ++i) {
            const kairos_time_t deadline = kairos_clock_now() + random.below(500'000);
            if (!EXPECT_STATUS(0, kairos_sleep_until(deadline))) return;
            if (!EXPECT(kairos_clock_now() >= deadline)) return;
        }
    };
    Worker one([&] { sleep(1); });
    Worker two([&] { sleep(2); });
    Worker three([&] { sleep(3); });
    Worker four([&] { sleep(4); });
}

// ---- Timers -------------------------------------------------------------------------------------

TEST("create and set: errors in their order") {
    const Owned timer = make_timer();
    const Owned unmanaged = without(timer, KRIGHT_MANAGE);
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_timer_create(out));
    EXPECT_STATUS(-EBADF, kairos_timer_set(closed_handle(), 1, 0));
    EXPECT_STATUS(-ENOTSUP, kairos_timer_set(make_event(), 1, 0));
    EXPECT_STATUS(-EACCES, kairos_timer_set(unmanaged, 1, 0));
    EXPECT_EQ(0u, ready(timer, POLLIN));
}

TEST("one shot: once, never early") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    EXPECT_NO_PACKET(port);
    const kairos_time_t deadline = kairos_clock_now() + 2 * kMillisecond;
    REQUIRE_STATUS(0, kairos_timer_set(timer, deadline, 0));
    kairos_port_packet packet;
    REQUIRE_STATUS(1, next_packet(port, packet));
    EXPECT(kairos_clock_now() >= deadline);
    EXPECT_EQ(1u, packet.key);
    EXPECT_EQ(KPORT_BIND_TIMER, packet.observed);
    EXPECT_EQ(1u, packet.count);
    EXPECT_EQ(POLLIN, ready(timer, POLLIN));
    EXPECT_STATUS(-ETIMEDOUT, next_packet(port, packet, kairos_clock_now() + 2 * kMillisecond));
}

TEST("one shot: a deadline in the past expires at once") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    for (const kairos_time_t deadline : {kairos_time_t{0}, kairos_time_t{1}, kairos_clock_now()}) {
        REQUIRE_STATUS(0, kairos_timer_set(timer, deadline, 0));
        kairos_port_packet packet;
        REQUIRE_STATUS(1, next_packet(port, packet));
        EXPECT_EQ(1u, packet.count);
    }
}

TEST("what has expired holds when binding") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    REQUIRE_STATUS(0, kairos_timer_set(timer, 1, 0));
    uint32_t revents;
    REQUIRE_STATUS(0, kairos_object_wait(timer, POLLIN, kForever, &revents));
    bind(port, timer, 9);
    EXPECT_PACKET(port, 9, KPORT_BIND_TIMER, 1);
}

TEST("who waits for a timer wakes when it expires") {
    const Owned timer = make_timer();
    Blocked waiter([&] {
        uint32_t revents = 0;
        const kairos_status_t status = kairos_object_wait(timer, POLLIN, kForever, &revents);
        return status == 0 ? static_cast<kairos_status_t>(revents) : status;
    });
    const kairos_time_t deadline = kairos_clock_now() + kMillisecond;
    REQUIRE_STATUS(0, kairos_timer_set(timer, deadline, 0));
    EXPECT_STATUS(POLLIN, waiter.result());
    EXPECT(kairos_clock_now() >= deadline);
}

TEST("disarmed: it does not expire, and is no longer readable") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    REQUIRE_STATUS(0, kairos_timer_set(timer, kairos_clock_now() + 1000 * kMillisecond, 0));
    REQUIRE_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, 0));
    REQUIRE_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, kMillisecond));
    EXPECT_STATUS(0, kairos_sleep_until(kairos_clock_now() + 2 * kMillisecond));
    EXPECT_NO_PACKET(port);
    EXPECT_EQ(0u, ready(timer, POLLIN));
}

TEST("set again: the earlier deadline counts, then the later") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    kairos_time_t deadline = kairos_clock_now() + kMillisecond;
    REQUIRE_STATUS(0, kairos_timer_set(timer, kForever - 1, 0));
    REQUIRE_STATUS(0, kairos_timer_set(timer, deadline, 0));
    kairos_port_packet packet;
    REQUIRE_STATUS(1, next_packet(port, packet));
    EXPECT(kairos_clock_now() >= deadline);
    REQUIRE_STATUS(0, kairos_timer_set(timer, kairos_clock_now() + 500 * kMillisecond, 0));
    deadline = kairos_clock_now() + 600 * kMillisecond;
    REQUIRE_STATUS(0, kairos_timer_set(timer, deadline, 0));
    REQUIRE_STATUS(1, next_packet(port, packet));
    EXPECT(kairos_clock_now() >= deadline);
    EXPECT_EQ(1u, packet.count);
}

TEST("periodic: drift-free, none lost") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    constexpr uint64_t kPeriod = kMillisecond;
    const kairos_time_t first = kairos_clock_now() + kPeriod;
    REQUIRE_STATUS(0, kairos_timer_set(timer, first, kPeriod));
    uint64_t events = 0;
    while (events < 20) {
        kairos_port_packet packet;
        REQUIRE_STATUS(1, next_packet(port, packet));
        const kairos_time_t now = kairos_clock_now();
        events += packet.count;
        // The n-th expiry belongs to first + (n - 1) periods, however late it is noticed.
        if (!EXPECT(now >= first + (events - 1) * kPeriod)) break;
    }
    REQUIRE_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, 0));
    // What came before it was disarmed is the last.
    kairos_port_packet packet;
    static_cast<void>(poll_packet(port, packet));
    EXPECT_STATUS(0, kairos_sleep_until(kairos_clock_now() + 3 * kPeriod));
    EXPECT_NO_PACKET(port);
}

TEST("periodic: all that passed while nobody looked is counted") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    constexpr uint64_t kPeriod = 200'000;
    const kairos_time_t first = kairos_clock_now();
    REQUIRE_STATUS(0, kairos_timer_set(timer, first, kPeriod));
    REQUIRE_STATUS(0, kairos_sleep_until(first + 20 * kPeriod));
    kairos_port_packet packet;
    REQUIRE_STATUS(1, next_packet(port, packet));
    EXPECT(packet.count >= 1);
    EXPECT(kairos_clock_now() >= first + (packet.count - 1) * kPeriod);
    REQUIRE_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, 0));
}

TEST("any 64 bits are safe") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    const uint64_t odd[] = {0,
                            1,
                            2,
                            UINT64_MAX,
                            UINT64_MAX - 1,
                            UINT64_MAX / 2,
                            UINT64_MAX / 2 + 1,
                            uint64_t{1} << 32,
                            uint64_t{1} << 63};
    for (const uint64_t deadline : odd) {
        for (const uint64_t period : odd) {
            EXPECT_STATUS(0, kairos_timer_set(timer, deadline, period));
            kairos_yield();
        }
    }
    // A shortest period does not keep the machine from working.
    REQUIRE_STATUS(0, kairos_timer_set(timer, 0, 1));
    for (int i = 0; i < 200; ++i) {
        const Channel channel;
        EXPECT_STATUS(0, send_text(channel.a, "works"));
    }
    REQUIRE_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, 0));
    for (const uint64_t far : {UINT64_MAX - 1, UINT64_MAX / 2, uint64_t{1} << 62}) {
        REQUIRE_STATUS(0, kairos_timer_set(timer, far, 0));
        kairos_port_packet packet;
        static_cast<void>(poll_packet(port, packet));
        EXPECT_EQ(0u, ready(timer, POLLIN));
    }
}

TEST("many timers, closed while armed") {
    const Owned port = make_port();
    {
        Owned timers[64];
        Random random(5);
        for (Owned& timer : timers) {
            timer = make_timer();
            bind(port, timer, 7);
            REQUIRE_STATUS(0, kairos_timer_set(timer, kairos_clock_now() + random.below(1'000'000),
                                               random.below(3) == 0 ? 100'000 : 0));
        }
        kairos_port_packet packet;
        for (int i = 0; i < 20; ++i) REQUIRE_STATUS(1, next_packet(port, packet));
    }
    EXPECT_NO_PACKET(port);
}

TEST("set and expire in a race, from several threads") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    const auto set = [&](uint64_t seed) {
        Random random(seed);
        for (int i = 0; i < 400; ++i) {
            const uint32_t choice = random.below(4);
            const kairos_time_t deadline =
                choice == 0 ? kForever : kairos_clock_now() + random.below(50'000);
            EXPECT_STATUS(0, kairos_timer_set(timer, deadline, choice == 1 ? 30'000 : 0));
            if (i % 8 == 0) kairos_yield();
        }
    };
    {
        Worker one([&] { set(1); });
        Worker two([&] { set(2); });
        kairos_port_packet packet;
        for (int i = 0; i < 400; ++i) {
            static_cast<void>(poll_packet(port, packet));
            kairos_yield();
        }
    }
    REQUIRE_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, 0));
    kairos_port_packet packet;
    static_cast<void>(poll_packet(port, packet));
    EXPECT_STATUS(0, kairos_sleep_until(kairos_clock_now() + kMillisecond));
    EXPECT_NO_PACKET(port);
}

// ---- Extremes -----------------------------------------------------------------------------------

TEST("a deadline of 0, 1, now and far away, with every period: as many events as have been due") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    for (const uint64_t period : {uint64_t{0}, uint64_t{1}, uint64_t{1000}, 77 * kMillisecond,
                                  UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX}) {
        for (const kairos_time_t deadline :
             {kairos_time_t{0}, kairos_time_t{1}, kairos_clock_now()}) {
            REQUIRE_STATUS(0, kairos_timer_set(timer, deadline, period));
            kairos_port_packet packet;
            REQUIRE_STATUS(1, next_packet(port, packet));
            const kairos_time_t now = kairos_clock_now();
            if (period > 77 * kMillisecond) {  // the next is further away than any test runs
                EXPECT_STATUS(0, kairos_sleep_until(now + 200'000));
                EXPECT_NO_PACKET(port);
            }
            REQUIRE_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, 0));
            const uint64_t due = period == 0 ? 1 : 1 + (now - deadline) / period;
            // They stop at 2^32 - 1 and are not fewer, or more, by going round.
            EXPECT(packet.count >= 1 && packet.count <= due);
            if (period == 1 && deadline <= 1 && now > 2 * uint64_t{UINT32_MAX}) {
                EXPECT_EQ(UINT32_MAX, packet.count);
            }
            if (period > 77 * kMillisecond) EXPECT_EQ(1u, packet.count);
            static_cast<void>(poll_packet(port, packet));
        }
        for (const kairos_time_t deadline : {UINT64_MAX - 1, UINT64_MAX, UINT64_MAX / 2}) {
            REQUIRE_STATUS(0, kairos_timer_set(timer, deadline, period));
            EXPECT_STATUS(0, kairos_sleep_until(kairos_clock_now() + 100'000));
            EXPECT_NO_PACKET(port);
            EXPECT_EQ(0u, ready(timer, POLLIN));
        }
    }
}

TEST("two thousand timers at one moment: each once, none early") {
    constexpr uint32_t kTimers = 2000;
    static Owned timers[kTimers];
    static bool fired[kTimers];
    const Owned port = make_port();
    const kairos_time_t deadline = kairos_clock_now() + 20 * kMillisecond;
    for (uint32_t i = 0; i < kTimers; ++i) {
        timers[i] = make_timer();
        bind(port, timers[i], i);
        REQUIRE_STATUS(0, kairos_timer_set(timers[i], deadline, 0));
    }
    for (uint32_t seen = 0; seen < kTimers;) {
        kairos_port_packet packets[16];
        const kairos_status_t count = kairos_port_wait(port, packets, 16, 0, kForever);
        REQUIRE(count > 0);
        EXPECT(kairos_clock_now() >= deadline);
        for (kairos_status_t i = 0; i < count; ++i, ++seen) {
            REQUIRE(packets[i].key < kTimers);
            EXPECT(!fired[packets[i].key]);
            EXPECT_EQ(1u, packets[i].count);
            fired[packets[i].key] = true;
        }
    }
    EXPECT_NO_PACKET(port);
    for (Owned& timer : timers) timer.close();
}

TEST("a flood of timers with the shortest period: others go on, and each timer is served") {
    constexpr uint32_t kTimers = 500;
    static Owned timers[kTimers];
    static bool seen[kTimers];
    const Owned port = make_port();
    for (uint32_t i = 0; i < kTimers; ++i) {
        timers[i] = make_timer();
        bind(port, timers[i], i);
        REQUIRE_STATUS(0, kairos_timer_set(timers[i], i, 1 + i % 7));
    }
    {
        Worker others([] {
            for (int i = 0; i < 500; ++i) {
                const Channel channel;
                EXPECT_STATUS(0, send_text(channel.a, "works"));
            }
        });
        for (uint32_t left = kTimers; left != 0;) {
            kairos_port_packet packet;
            REQUIRE_STATUS(1, next_packet(port, packet));
            if (!std::exchange(seen[packet.key], true)) --left;
        }
    }
    for (Owned& timer : timers) timer.close();
    EXPECT_NO_PACKET(port);
}

// Never more events than periods have begun; and not fewer than had begun before three packets came
// one after the other: the second was raised after the first was taken, and so the third was
// counted after that. However slow the machine is, what drifts falls behind.
TEST("periodic: as many events as periods have begun, for short periods and long ones") {
    for (const uint64_t period : {uint64_t{1}, uint64_t{999}, uint64_t{33'333}, uint64_t{100'000},
                                  uint64_t{777'777}, 2 * kMillisecond}) {
        const Owned port = make_port();
        const Owned timer = make_timer();
        bind(port, timer);
        const kairos_time_t first = kairos_clock_now();
        REQUIRE_STATUS(0, kairos_timer_set(timer, first, period));
        const auto begun = [&] { return (kairos_clock_now() - first) / period + 1; };
        uint64_t events = 0;
        for (int round = 0; round < 8; ++round) {
            const uint64_t begun_before = begun();
            for (int i = 0; i < 3; ++i) {
                kairos_port_packet packet;
                REQUIRE_STATUS(1, next_packet(port, packet));
                events += packet.count;
                REQUIRE(events <= begun());
            }
            REQUIRE(events >= begun_before);
        }
    }
}

TEST("once it is disarmed, nothing comes any more: set and disarm in a race, between harts") {
    const Owned port = make_port();
    const Owned timer = make_timer();
    bind(port, timer);
    Random random(11);
    Rival rival;
    for (int round = 0; round < 300; ++round) {
        const kairos_time_t deadline = kairos_clock_now() + random.below(60'000);
        const uint64_t period = round % 3 == 0 ? 10'000 : 0;
        kairos_port_packet packet;
        rival.race([&] { EXPECT_STATUS(0, kairos_timer_set(timer, deadline, period)); },
                   [&] { EXPECT_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, 0)); },
                   [] {});
        REQUIRE_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, 0));
        static_cast<void>(poll_packet(port, packet));
        REQUIRE_STATUS(0, kairos_sleep_until(deadline + 10'000));
        EXPECT_NO_PACKET(port);
        EXPECT_EQ(0u, ready(timer, POLLIN));
    }
}
