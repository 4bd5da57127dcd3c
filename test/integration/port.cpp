// Ports themselves: errors in their order, user packets, waiting, the end. What is bound to them is
// in port_bind.cpp.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "workers.h"

namespace {

kairos_status_t queue(kairos_handle_t port, uint64_t key, uint32_t observed = 0,
                      uint32_t count = 0) {
    const kairos_port_packet packet = {key, observed, count};
    return kairos_port_queue(port, &packet);
}

}  // namespace

// ---- Errors
// --------------------------------------------------------------------------------------

TEST("create: errors in their order") {
    const BadPointers bad;
    EXPECT_STATUS(-EINVAL, kairos_port_create(2, static_cast<kairos_handle_t*>(bad.kernel())));
    EXPECT_STATUS(-EINVAL, kairos_port_create(~0u, static_cast<kairos_handle_t*>(bad.kernel())));
    EXPECT_STATUS(-EFAULT, kairos_port_create(0, static_cast<kairos_handle_t*>(bad.kernel())));
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_port_create(0, out));
}

TEST("wait: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_port_packet*>(bad.kernel());
    auto* unreachable = static_cast<kairos_port_packet*>(bad.unreachable());
    const Owned port = make_port();
    const Owned blind = without(port, KRIGHT_WAIT);
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    EXPECT_STATUS(-EINVAL, kairos_port_wait(closed, kernel, 1, 2, kPast));
    EXPECT_STATUS(-EINVAL, kairos_port_wait(closed, kernel, 0, ~0u, kPast));
    EXPECT_STATUS(-EINVAL, kairos_port_wait(closed, kernel, 0, 0, kPast));
    EXPECT_STATUS(-EFAULT, kairos_port_wait(closed, kernel, 1, 0, kPast));
    EXPECT_STATUS(-EBADF, kairos_port_wait(closed, unreachable, 1, 0, kPast));
    EXPECT_STATUS(-ENOTSUP, kairos_port_wait(event, unreachable, 1, 0, kPast));
    EXPECT_STATUS(-EACCES, kairos_port_wait(blind, unreachable, 1, 0, kPast));
    EXPECT_STATUS(-EAGAIN, kairos_port_wait(port, unreachable, 1, KPORT_WAIT_NONBLOCK, kPast));
    EXPECT_STATUS(-ETIMEDOUT, kairos_port_wait(port, unreachable, 1, 0, kPast));
}

TEST("queue: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_port_packet*>(bad.kernel());
    auto* unreachable = static_cast<kairos_port_packet*>(bad.unreachable());
    const kairos_port_packet packet = {};
    const Owned port = make_port();
    const Owned mute = without(port, KRIGHT_WRITE);
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    EXPECT_STATUS(-EFAULT, kairos_port_queue(closed, kernel));
    EXPECT_STATUS(-EFAULT, kairos_port_queue(closed, unreachable));
    EXPECT_STATUS(-EFAULT, kairos_port_queue(closed, nullptr));
    EXPECT_STATUS(-EBADF, kairos_port_queue(closed, &packet));
    EXPECT_STATUS(-ENOTSUP, kairos_port_queue(event, &packet));
    EXPECT_STATUS(-EACCES, kairos_port_queue(mute, &packet));
    EXPECT_INPUT_CHECKED(kairos_port_packet, kairos_port_queue(port, in));
    EXPECT_NO_PACKET(port);
}

// ---- User packets
// --------------------------------------------------------------------------------

TEST("a user packet arrives as queued, with count 1") {
    const Owned port = make_port();
    REQUIRE_STATUS(0, queue(port, 0x123456789abcdef0, 0xffffffff, 77));
    EXPECT_PACKET(port, 0x123456789abcdef0, 0xffffffff, 1);
    REQUIRE_STATUS(0, queue(port, 0, 0, 0));
    EXPECT_PACKET(port, 0, 0, 1);
    EXPECT_NO_PACKET(port);
}

TEST("user packets are not coalesced, and keep their order") {
    const Owned port = make_port();
    for (uint32_t i = 0; i < 10; ++i) REQUIRE_STATUS(0, queue(port, 5, i));
    for (uint32_t i = 0; i < 10; ++i) EXPECT_PACKET(port, 5, i, 1);
}

TEST("wait: as many as are there, and no more than asked for") {
    const Owned port = make_port();
    for (uint64_t i = 0; i < 5; ++i) REQUIRE_STATUS(0, queue(port, i));
    kairos_port_packet packets[8];
    memset(packets, 0xee, sizeof(packets));
    EXPECT_STATUS(2, kairos_port_wait(port, packets, 2, 0, kForever));
    EXPECT_EQ(0u, packets[0].key);
    EXPECT_EQ(1u, packets[1].key);
    EXPECT_EQ(0xeeeeeeeeeeeeeeeeu, packets[2].key);
    EXPECT_STATUS(3, kairos_port_wait(port, packets, 8, 0, kPast));
    EXPECT_EQ(2u, packets[0].key);
    EXPECT_EQ(4u, packets[2].key);
    EXPECT_EQ(0xeeeeeeeeeeeeeeeeu, packets[3].key);
}

TEST("queue: 128 packets, then no more") {
    const Owned port = make_port();
    for (uint64_t i = 0; i < KPORT_MAX_QUEUE; ++i) REQUIRE_STATUS(0, queue(port, i));
    EXPECT_STATUS(-EAGAIN, queue(port, 999));
    EXPECT_EQ(KPORT_MAX_QUEUE, info_of<kairos_info_port>(port, KAIROS_INFO_PORT).pending);
    EXPECT_PACKET(port, 0, 0, 1);
    EXPECT_STATUS(0, queue(port, 128));
    EXPECT_STATUS(-EAGAIN, queue(port, 999));
    static kairos_port_packet packets[2 * KPORT_MAX_QUEUE];
    EXPECT_STATUS(KPORT_MAX_QUEUE,
                  kairos_port_wait(port, packets, 2 * KPORT_MAX_QUEUE, 0, kForever));
    for (uint32_t i = 0; i < KPORT_MAX_QUEUE; ++i) EXPECT_EQ(i + 1, packets[i].key);
}

TEST("queue: a port that is full of user packets still takes events") {
    const Owned port = make_port();
    const Owned event = make_event();
    for (uint64_t i = 0; i < KPORT_MAX_QUEUE; ++i) REQUIRE_STATUS(0, queue(port, i));
    REQUIRE_STATUS(0, kairos_port_bind(port, event, 1000, KPORT_BIND_USER));
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    static kairos_port_packet packets[2 * KPORT_MAX_QUEUE];
    EXPECT_STATUS(KPORT_MAX_QUEUE + 1,
                  kairos_port_wait(port, packets, 2 * KPORT_MAX_QUEUE, 0, kForever));
    EXPECT_EQ(1000u, packets[KPORT_MAX_QUEUE].key);
}

// ---- Bad memory
// ----------------------------------------------------------------------------------

TEST("wait: a packet that cannot be copied out stays") {
    const BadPointers bad;
    const Owned port = make_port();
    REQUIRE_STATUS(0, queue(port, 42, 1));
    for (const BadPointer& pointer : bad.all) {
        auto* out = static_cast<kairos_port_packet*>(pointer.address);
        expect_fault(kairos_port_wait(port, out, 1, 0, kForever), pointer, "port_wait", __FILE__,
                     __LINE__);
    }
    EXPECT_PACKET(port, 42, 1, 1);
}

TEST("wait: none is lost where only the first can be copied out") {
    const Owned port = make_port();
    const Pages pages;
    for (uint64_t i = 0; i < 3; ++i) REQUIRE_STATUS(0, queue(port, i));
    auto* out = pages.last<kairos_port_packet>();
    const kairos_status_t status = kairos_port_wait(port, out, 3, 0, kForever);
    EXPECT_ONE_OF(ANY(1, -EFAULT), status);
    for (uint64_t i = status == 1 ? 1 : 0; i < 3; ++i) EXPECT_PACKET(port, i, 0, 1);
    EXPECT_NO_PACKET(port);
}

TEST("wait: room that is not needed is not touched") {
    const Owned port = make_port();
    const Pages pages;
    REQUIRE_STATUS(0, queue(port, 7));
    EXPECT_STATUS(1, kairos_port_wait(port, pages.last<kairos_port_packet>(), 1000, 0, kForever));
    EXPECT_EQ(7u, pages.last<kairos_port_packet>()->key);
}

TEST("wait: a maximum whose size does not fit into 64 bits of bytes") {
    const Owned port = make_port();
    kairos_port_packet packet;
    REQUIRE_STATUS(0, queue(port, 7));
    // 64 GiB from here is still user memory or not; either way nothing beyond is written.
    EXPECT_ONE_OF(ANY(1, -EFAULT), kairos_port_wait(port, &packet, UINT32_MAX, 0, kForever));
}

// ---- Waiting
// -------------------------------------------------------------------------------------

TEST("wait: blocks until a packet comes") {
    const Owned port = make_port();
    kairos_port_packet packet{};
    Blocked taker([&] { return next_packet(port, packet); });
    REQUIRE_STATUS(0, queue(port, 3, 4));
    EXPECT_STATUS(1, taker.result());
    EXPECT_EQ(3u, packet.key);
    EXPECT_EQ(4u, packet.observed);
}

TEST("wait: a packet wakes one, each gets one") {
    const Owned port = make_port();
    kairos_port_packet packets[3];
    Blocked one([&] { return next_packet(port, packets[0]); });
    Blocked two([&] { return next_packet(port, packets[1]); });
    Blocked three([&] { return next_packet(port, packets[2]); });
    for (uint64_t i = 1; i <= 3; ++i) REQUIRE_STATUS(0, queue(port, i));
    EXPECT_STATUS(1, one.result());
    EXPECT_STATUS(1, two.result());
    EXPECT_STATUS(1, three.result());
    EXPECT_EQ(6u, packets[0].key + packets[1].key + packets[2].key);
}

TEST("wait: interrupted") {
    const Owned port = make_port();
    kairos_port_packet packet;
    Blocked taker([&] { return next_packet(port, packet); });
    taker.interrupt();
    EXPECT_STATUS(-EINTR, taker.result());
    EXPECT_EQ(0xdeadu, packet.key);
}

TEST("wait: out of time") {
    const Owned port = make_port();
    kairos_port_packet packet;
    const kairos_time_t deadline = kairos_clock_now() + 2'000'000;
    EXPECT_STATUS(-ETIMEDOUT, next_packet(port, packet, deadline));
    EXPECT(kairos_clock_now() >= deadline);
}

TEST("wait: many producers, many consumers, every packet once") {
    constexpr uint64_t kPackets = 1000;
    const Owned port = make_port();
    std::atomic<uint64_t> sum{0};
    std::atomic<uint64_t> taken{0};
    const auto produce = [&](uint64_t first) {
        for (uint64_t i = 0; i < kPackets; ++i) {
            while (queue(port, first + i) == -EAGAIN) kairos_yield();
        }
    };
    const auto consume = [&] {
        kairos_port_packet packets[4];
        while (true) {
            const kairos_status_t got = kairos_port_wait(port, packets, 4, 0, kForever);
            if (!EXPECT(got >= 1)) return;
            for (int64_t i = 0; i < got; ++i) {
                if (packets[i].key == 0) {
                    // One end for each consumer; more than one may have come together.
                    for (int64_t rest = i + 1; rest < got; ++rest) queue(port, 0);
                    return;
                }
                sum.fetch_add(packets[i].key);
                taken.fetch_add(1);
            }
        }
    };
    Worker consumer0(consume);
    Worker consumer1(consume);
    {
        Worker producer0([&] { produce(1); });
        Worker producer1([&] { produce(1 + kPackets); });
    }
    for (int i = 0; i < 2; ++i) {
        while (queue(port, 0) == -EAGAIN) kairos_yield();
    }
    consumer0.join();
    consumer1.join();
    EXPECT_EQ(2 * kPackets, taken.load());
    EXPECT_EQ(2 * kPackets * (2 * kPackets + 1) / 2, sum.load());
}

// ---- The end
// -------------------------------------------------------------------------------------

TEST("end: threads that wait are canceled when the last handle goes") {
    Owned port = make_port();
    Owned copy = duplicate(port);
    const kairos_handle_t through = port;
    const auto wait = [&] {
        kairos_port_packet packet;
        return next_packet(through, packet);
    };
    Blocked one(wait);
    Blocked two(wait);
    Blocked polls([&] {
        uint32_t revents;
        return kairos_object_wait(copy, POLLIN, kForever, &revents);
    });
    port.close();
    EXPECT(one.still_sleeps());
    EXPECT(two.still_sleeps());
    copy.close();
    EXPECT_STATUS(-ECANCELED, one.result());
    EXPECT_STATUS(-ECANCELED, two.result());
    EXPECT_STATUS(-ECANCELED, polls.result());
}

TEST("end: a port in flight lives") {
    const Channel carrier;
    Owned port = make_port(KPORT_CREATE_TRANSFERABLE);
    const kairos_handle_t through = port;
    kairos_port_packet packet;
    Blocked taker([&] { return next_packet(through, packet); });
    REQUIRE_STATUS(0, send_handle(carrier.a, port));
    EXPECT(taker.still_sleeps());
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(carrier.b));
    REQUIRE_STATUS(0, queue(inbox.received[0], 9));
    EXPECT_STATUS(1, taker.result());
    EXPECT_EQ(9u, packet.key);
}

TEST("end: packets go with their port") {
    Owned port = make_port();
    const Owned event = make_event();
    REQUIRE_STATUS(0, kairos_port_bind(port, event, 1, KPORT_BIND_USER));
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    for (uint64_t i = 0; i < KPORT_MAX_QUEUE; ++i) REQUIRE_STATUS(0, queue(port, i));
    port.close();
    // The event is free for another.
    const Owned other = make_port();
    REQUIRE_STATUS(0, kairos_object_signal(event, kUser0, kUser3));
    REQUIRE_STATUS(0, kairos_port_bind(other, event, 2, KPORT_BIND_USER));
    EXPECT_PACKET(other, 2, kUser3, 1);
}
