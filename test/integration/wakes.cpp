// A wake goes to one of several who wait. If he cannot use it (his time is up, he is interrupted or
// killed, his memory is bad), it goes on to the next, so that nobody waits for what is there.
#include "harness.h"
#include "hostile.h"
#include "packets.h"
#include "race.h"
#include "tiny.h"

namespace {

constexpr int kRounds = 60;

// Somebody whose time runs out about when what he waits for comes, and behind him somebody who has
// all the time. `wait(deadline)` takes what one `give()` gives, and returns at least 0 then.
template <typename Wait, typename Give>
void passed_on_at_a_deadline(Wait wait, Give give) {
    Random random(kairos_clock_now());
    for (int round = 0; round < kRounds; ++round) {
        const kairos_time_t deadline = kairos_clock_now() + 1'500'000;
        Fickle hurried([&] { return wait(deadline); });
        Blocked patient([&] { return wait(kForever); });
        const uint64_t early = random.below(40'000);
        while (kairos_clock_now() + early < deadline) {}
        give();
        const kairos_status_t first = hurried.result();
        if (first >= 0) {
            give();
        } else {
            EXPECT_STATUS(-ETIMEDOUT, first);
        }
        EXPECT(patient.result() >= 0);
    }
}

template <typename Wait, typename Give>
void passed_on_at_an_interrupt(Wait wait, Give give) {
    Rival rival;
    for (int round = 0; round < kRounds; ++round) {
        Blocked disturbed([&] { return wait(kForever); });
        Blocked patient([&] { return wait(kForever); });
        rival.race([&] { disturbed.interrupt(); }, give, [] {});
        const kairos_status_t first = disturbed.result();
        if (first >= 0) {
            give();
        } else {
            EXPECT_STATUS(-EINTR, first);
        }
        EXPECT(patient.result() >= 0);
    }
}

// The first in line is a process that waits in the call that `prepare` describes, with the handle
// that it returns. What it may have taken with it is given again; `left()` says whether anything is
// there to be had.
template <typename Prepare, typename Wait, typename Give, typename Left>
void passed_on_at_a_kill(Prepare prepare, Wait wait, Give give, Left left) {
    Rival rival;
    for (int round = 0; round < kRounds / 3; ++round) {
        TinyProcess tiny;
        tiny.start(prepare(tiny));
        REQUIRE(wait_until_blocked(tiny.thread));
        Blocked patient([&] { return wait(kForever); });
        rival.race([&] { EXPECT_STATUS(0, kairos_process_kill(tiny.process, 1)); }, give, [] {});
        static_cast<void>(tiny.exit_code());
        while (left()) kairos_yield();  // for ever, if it was not passed on
        give();
        EXPECT(patient.result() >= 0);
        while (left()) wait(kPast);
    }
}

// The same, but it is killed after it was woken and before it can run.
template <typename Prepare, typename Wait, typename Give>
void passed_on_by_the_dead(Prepare prepare, Wait wait, Give give) {
    TinyProcess tiny;
    Owned bootstrap = prepare(tiny);
    pin(0, tiny.thread);
    tiny.start(std::move(bootstrap));
    REQUIRE(wait_until_blocked(tiny.thread));
    Blocked patient([&] { return wait(kForever); });
    pin(0);
    REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), KPRIORITY_USUAL + 1));
    give();
    EXPECT_STATUS(0, kairos_process_kill(tiny.process, 1));
    EXPECT(patient.result() >= 0);
    EXPECT_STATUS(1, tiny.exit_code());
    REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), KPRIORITY_USUAL));
    unpin();
}

template <typename Prepare, typename Wait, typename Give, typename Left>
void passed_on_by_the_killed(Prepare prepare, Wait wait, Give give, Left left) {
    passed_on_by_the_dead(prepare, wait, give);
    passed_on_at_a_kill(prepare, wait, give, left);
}

}  // namespace

// ---- Receivers
// -----------------------------------------------------------------------------------

TEST("receivers: a message at the deadline of the first") {
    for (const uint32_t options : {0u, KCHANNEL_OPT_RENDEZVOUS}) {
        const Channel channel;
        passed_on_at_a_deadline(
            [&](kairos_time_t deadline) {
                return Inbox().receive(channel.b, options, deadline) == 1 ? 0 : -ETIMEDOUT;
            },
            [&] { EXPECT_STATUS(0, send_text(channel.a, "x", options)); });
    }
}

TEST("receivers: a message as the first is interrupted") {
    for (const uint32_t options : {0u, KCHANNEL_OPT_RENDEZVOUS}) {
        const Channel channel;
        passed_on_at_an_interrupt(
            [&](kairos_time_t deadline) { return Inbox().receive(channel.b, options, deadline); },
            [&] { EXPECT_STATUS(0, send_text(channel.a, "x", options)); });
    }
}

TEST("receivers: a message as the first is killed") {
    for (const uint32_t options : {0u, KCHANNEL_OPT_RENDEZVOUS}) {
        const Channel channel;
        const auto prepare = [&](TinyProcess& tiny) {
            kairos_channel_msg message{};
            message.bytes = reinterpret_cast<void*>(kTinyRoom + 512);
            message.num_bytes = 64;
            tiny.prepare_call(KAIROS_SYS_channel_recv, tiny.put(message), options, kForever);
            return duplicate(channel.b);
        };
        const auto wait = [&](kairos_time_t deadline) {
            return Inbox().receive(channel.b, options, deadline);
        };
        const auto give = [&] { EXPECT_STATUS(0, send_text(channel.a, "x", options)); };
        // With RENDEZVOUS he has it when he is woken.
        if (options == 0) passed_on_by_the_dead(prepare, wait, give);
        passed_on_at_a_kill(prepare, wait, give, [&] { return queued_in(channel.b) != 0; });
    }
}

TEST("receivers: of two only one opted into rendezvous") {
    static char large[3000];
    for (const bool first_opts : {false, true}) {
        for (const uint32_t options : {0u, KCHANNEL_OPT_RENDEZVOUS}) {
            for (const uint32_t size : {0u, 1u, 128u, 129u, 512u}) {
                const Channel channel;
                const uint32_t opted = KCHANNEL_OPT_RENDEZVOUS;
                Blocked one([&] { return Inbox().receive(channel.b, first_opts ? opted : 0); });
                Blocked two([&] { return Inbox().receive(channel.b, first_opts ? 0 : opted); });
                const kairos_channel_msg message = message_of(large, size);
                for (int i = 0; i < 2; ++i) {
                    EXPECT_STATUS(0, kairos_channel_send(channel.a, &message, options, kForever));
                }
                EXPECT_STATUS(1, one.result());
                EXPECT_STATUS(1, two.result());
                EXPECT_EQ(0u, queued_in(channel.b));
            }
        }
    }
}

TEST("receivers: a message that the first cannot take") {
    const BadPointers bad;
    for (const uint32_t options : {0u, KCHANNEL_OPT_RENDEZVOUS}) {
        for (const bool too_small : {false, true}) {
            const Channel channel;
            kairos_channel_msg header = message_of(bad.unreachable(), too_small ? 3 : 64);
            Blocked unable(
                [&] { return kairos_channel_recv(channel.b, &header, options, kForever); });
            Inbox inbox;
            Blocked able([&] { return inbox.receive(channel.b, options); });
            EXPECT_STATUS(0, send_text(channel.a, "message", options));
            // An armed receiver without room is passed by, and told nothing.
            if (too_small && options != 0) EXPECT_STATUS(0, send_text(channel.a, "message"));
            EXPECT_STATUS(too_small ? -EMSGSIZE : -EFAULT, unable.result());
            EXPECT_STATUS(1, able.result());
            EXPECT(inbox.has_text("message"));
        }
    }
}

// ---- Senders
// -------------------------------------------------------------------------------------

TEST("senders: room at the deadline of the first") {
    const Channel channel;
    fill_queue(channel.a);
    Inbox inbox;
    passed_on_at_a_deadline(
        [&](kairos_time_t deadline) { return send_text(channel.a, "x", 0, deadline); },
        [&] { EXPECT_STATUS(1, inbox.poll(channel.b)); });
}

TEST("senders: room as the first is interrupted") {
    const Channel channel;
    fill_queue(channel.a);
    Inbox inbox;
    passed_on_at_an_interrupt(
        [&](kairos_time_t deadline) { return send_text(channel.a, "x", 0, deadline); },
        [&] { EXPECT_STATUS(1, inbox.poll(channel.b)); });
}

TEST("senders: room as the first is killed") {
    const Channel channel;
    fill_queue(channel.a);
    Inbox inbox;
    passed_on_by_the_killed(
        [&](TinyProcess& tiny) {
            tiny.prepare_call(KAIROS_SYS_channel_send, tiny.put(kairos_channel_msg{}), 0, kForever);
            return duplicate(channel.a);
        },
        [&](kairos_time_t deadline) { return send_text(channel.a, "x", 0, deadline); },
        [&] { EXPECT_STATUS(1, inbox.poll(channel.b)); },
        [&] { return queued_in(channel.b) < KCHANNEL_MAX_QUEUE; });
}

TEST("senders: room for one whose memory has become bad while he waited") {
    const Channel channel;
    fill_queue(channel.a);
    const Pages pages;
    memset(pages.begin(), 'p', KAIROS_PAGE_SIZE);
    const kairos_channel_msg large = message_of(pages.begin(), KAIROS_PAGE_SIZE);
    Blocked unable([&] { return kairos_channel_send(channel.a, &large, 0, kForever); });
    Blocked able([&] { return send_text(channel.a, "x"); });
    pages.protect(0);
    Inbox inbox;
    EXPECT_STATUS(1, inbox.poll(channel.b));
    const kairos_status_t first = unable.result();
    EXPECT_ONE_OF(ANY(0, -EFAULT), first);
    // It may have been read before he waited.
    if (first == 0) EXPECT_STATUS(1, inbox.poll(channel.b));
    EXPECT_STATUS(0, able.result());
}

// ---- Those who wait for packets
// ------------------------------------------------------------------

TEST("port: a packet at the deadline of the first") {
    const Owned port = make_port();
    const kairos_port_packet packet{.key = 1, .observed = 2, .count = 0};
    passed_on_at_a_deadline(
        [&](kairos_time_t deadline) {
            kairos_port_packet taken;
            return next_packet(port, taken, deadline);
        },
        [&] { EXPECT_STATUS(0, kairos_port_queue(port, &packet)); });
}

TEST("port: an event as the first is interrupted") {
    const Owned port = make_port();
    const Owned event = make_event();
    REQUIRE_STATUS(0, kairos_port_bind(port, event, 1, kUser0));
    passed_on_at_an_interrupt(
        [&](kairos_time_t deadline) {
            kairos_port_packet taken;
            return next_packet(port, taken, deadline);
        },
        [&] { EXPECT_STATUS(0, kairos_object_signal(event, 0, kUser0)); });
}

TEST("port: a packet as the first is killed") {
    const Owned port = make_port(KPORT_CREATE_TRANSFERABLE);
    const kairos_port_packet packet{.key = 1, .observed = 2, .count = 0};
    passed_on_by_the_killed(
        [&](TinyProcess& tiny) {
            tiny.prepare_call(KAIROS_SYS_port_wait, kTinyRoom, 1, 0, kForever);
            return duplicate(port);
        },
        [&](kairos_time_t deadline) {
            kairos_port_packet taken;
            return next_packet(port, taken, deadline);
        },
        [&] { EXPECT_STATUS(0, kairos_port_queue(port, &packet)); },
        [&] { return ready(port, POLLIN) != 0; });
}

TEST("port: a packet that the first cannot take, with one who only looks between") {
    const BadPointers bad;
    const Owned port = make_port();
    Blocked unable([&] {
        return kairos_port_wait(port, static_cast<kairos_port_packet*>(bad.unreachable()), 1, 0,
                                kForever);
    });
    uint32_t revents = 0;
    Blocked looks([&] { return kairos_object_wait(port, POLLIN, kForever, &revents); });
    Blocked able([&] {
        kairos_port_packet taken;
        return next_packet(port, taken);
    });
    const kairos_port_packet packet{.key = 1, .observed = 2, .count = 0};
    EXPECT_STATUS(0, kairos_port_queue(port, &packet));
    EXPECT_STATUS(-EFAULT, unable.result());
    EXPECT_STATUS(1, able.result());
    // He may have come too late; then the next packet is for him to see.
    EXPECT_STATUS(0, kairos_port_queue(port, &packet));
    EXPECT_STATUS(0, looks.result());
}
