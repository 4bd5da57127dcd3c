// Calls that are about to sleep, and are just waking up: against the end of what they wait for,
// deadlines, interrupts and kills. Nobody sleeps for ever, and no wake is lost on a thread that was
// leaving.
#include "harness.h"
#include "packets.h"
#include "race.h"

namespace {

constexpr int kRounds = 1500;

}  // namespace

// ---- The last handle goes while a call is on its way to sleep
// ------------------------------------

TEST("object_wait: the last handle goes before it sleeps") {
    Rival rival;
    for (int round = 0; round < kRounds; ++round) {
        Channel channel;
        Owned closing[] = {make_event(), make_timer(), make_port(), std::move(channel.a)};
        for (Owned& object : closing) {
            const kairos_handle_t handle = object;
            uint32_t revents = 0xdead;
            kairos_status_t status = 0;
            rival.race([&] { status = kairos_object_wait(handle, POLLIN, kForever, &revents); },
                       [&] { object.close(); }, [] {});
            EXPECT_ONE_OF(ANY(-EBADF, -ECANCELED), status);
            EXPECT_EQ(0xdeadu, revents);
        }
    }
}

TEST("port_wait: the last handle goes before it sleeps") {
    Rival rival;
    for (int round = 0; round < kRounds; ++round) {
        Owned port = make_port();
        const kairos_handle_t handle = port;
        kairos_status_t status = 0;
        rival.race(
            [&] {
                kairos_port_packet packet;
                status = next_packet(handle, packet);
            },
            [&] { port.close(); }, [] {});
        EXPECT_ONE_OF(ANY(-EBADF, -ECANCELED), status);
    }
}

// ---- Deadlines
// -----------------------------------------------------------------------------------

TEST("a deadline near the end of time does not come") {
    for (const kairos_time_t deadline :
         {UINT64_MAX - 1, UINT64_MAX / 2 + 1, UINT64_MAX / 2, UINT64_MAX / 10, UINT64_MAX / 100}) {
        const Channel channel;
        Inbox inbox;
        Blocked receiver([&] { return inbox.receive(channel.b, 0, deadline); });
        const Owned port = make_port();
        kairos_port_packet packet;
        Blocked taker([&] { return next_packet(port, packet, deadline); });
        uint32_t revents = 0;
        Blocked waiter([&] { return kairos_object_wait(channel.a, POLLIN, deadline, &revents); });
        EXPECT_STATUS(0, send_text(channel.a, "x"));
        EXPECT_STATUS(0, send_text(channel.b, "y"));
        const kairos_port_packet user{.key = 1, .observed = 2, .count = 0};
        EXPECT_STATUS(0, kairos_port_queue(port, &user));
        EXPECT_STATUS(1, receiver.result());
        EXPECT_STATUS(1, taker.result());
        EXPECT_STATUS(0, waiter.result());
    }
}
