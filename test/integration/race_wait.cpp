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
