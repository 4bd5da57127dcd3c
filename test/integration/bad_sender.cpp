// A sender whose memory turns out bad while he fills the memory of somebody who sleeps: that one
// sleeps on, and whatever ends his call meanwhile ends it.
#include "harness.h"
#include "hostile.h"
#include "packets.h"
#include "race.h"

namespace {

constexpr int kRounds = 60;
constexpr uint32_t kSize = 600;  // too large to be taken along in the message

// What ends the sleep, with the channel whose end `b` sleeps, and what the call answers then.
struct End {
    const char* name;
    kairos_time_t time;  // until the deadline, if that ends it
    kairos_status_t received, called;
    void (*happen)(Channel& channel, kairos_handle_t source, kairos_handle_t thread);
};

const End kEnds[] = {
    {"the deadline", 1'000'000, -ETIMEDOUT, -ETIMEDOUT,
     [](Channel&, kairos_handle_t, kairos_handle_t) {}},
    {"an interrupt", kForever, -EINTR, -EINTR,
     [](Channel&, kairos_handle_t, kairos_handle_t thread) {
         EXPECT_STATUS(0, kairos_thread_interrupt(thread));
     }},
    {"a revocation", kForever, -ECANCELED, -ECANCELED,
     [](Channel&, kairos_handle_t source, kairos_handle_t) {
         EXPECT_STATUS(0, kairos_handle_revoke(source));
     }},
    {"its own end", kForever, 0, -EPIPE,
     [](Channel& channel, kairos_handle_t source, kairos_handle_t) {
         kairos_handle_close(source, 0);
         channel.b.close();
     }},
};

kairos_time_t deadline_of(const End& end) {
    return end.time == kForever ? kForever : kairos_clock_now() + end.time;
}

// Half of it can be read.
kairos_channel_msg bad_message(const Pages& pages, uint64_t txid = 0) {
    return message_of(pages.end() - kSize / 2, kSize, nullptr, 0, txid);
}

void send_badly(kairos_handle_t channel, const kairos_channel_msg& bad, int times) {
    for (int i = 0; i < times; ++i) {
        const kairos_status_t status =
            kairos_channel_send(channel, &bad, KCHANNEL_OPT_RENDEZVOUS | KCHANNEL_OPT_NONBLOCK, 0);
        // Once nobody waits for a reply it is dropped unread; once the other end is gone there is
        // nowhere to send to.
        const bool expected = status == -EFAULT || status == -EPIPE || (status == 0 && bad.txid);
        if (!EXPECT(expected)) harness::print("    %s", harness::text_of(status).chars);
    }
}

}  // namespace

TEST("a receiver sleeps on, and is the first in line still") {
    const Pages pages;
    const Channel channel;
    Inbox first;
    Inbox second;
    Blocked one([&] { return first.receive(channel.b, KCHANNEL_OPT_RENDEZVOUS); });
    Blocked two([&] { return second.receive(channel.b, KCHANNEL_OPT_RENDEZVOUS); });
    pages.protect(0);
    const kairos_channel_msg bad = message_of(pages.begin(), 400);
    for (int i = 0; i < 5; ++i) {
        EXPECT_STATUS(-EFAULT,
                      kairos_channel_send(channel.a, &bad, KCHANNEL_OPT_RENDEZVOUS, kForever));
    }
    EXPECT(one.still_sleeps());
    EXPECT(two.still_sleeps());
    EXPECT_STATUS(0, send_text(channel.a, "1", KCHANNEL_OPT_RENDEZVOUS));
    EXPECT_STATUS(0, send_text(channel.a, "2", KCHANNEL_OPT_RENDEZVOUS));
    EXPECT_STATUS(1, one.result());
    EXPECT_STATUS(1, two.result());
    EXPECT(first.has_text("1"));
    EXPECT(second.has_text("2"));
}

TEST("a receiver, and what else ends his call") {
    Rival rival;
    const Pages pages;
    const kairos_channel_msg bad = bad_message(pages);
    for (const End& end : kEnds) {
        for (int round = 0; round < kRounds; ++round) {
            Channel channel;
            Owned through = duplicate(channel.b);
            const kairos_handle_t source = channel.b;
            char room[kSize];
            kairos_channel_msg message = message_of(room, sizeof(room));
            const kairos_time_t deadline = deadline_of(end);
            Fickle receiver([&, handle = static_cast<kairos_handle_t>(through)] {
                return kairos_channel_recv(handle, &message, KCHANNEL_OPT_RENDEZVOUS, deadline);
            });
            rival.race([&] { send_badly(channel.a, bad, 10); },
                       [&] {
                           if (end.received == 0) through.close();
                           end.happen(channel, source, receiver.thread());
                       },
                       [] {});
            if (!EXPECT_STATUS(end.received, receiver.result())) {
                harness::print("    it was %s", end.name);
            }
        }
    }
}

TEST("a caller, and what else ends his call") {
    Rival rival;
    const Pages pages;
    for (const End& end : kEnds) {
        for (int round = 0; round < kRounds; ++round) {
            Channel channel;
            Owned through = duplicate(channel.b);
            const kairos_handle_t source = channel.b;
            char room[kSize];
            const kairos_channel_msg request = message_of("q");
            kairos_channel_msg reply = message_of(room, sizeof(room));
            const kairos_time_t deadline = deadline_of(end);
            Fickle caller([&, handle = static_cast<kairos_handle_t>(through)] {
                return kairos_channel_call(handle, &request, &reply, deadline);
            });
            Inbox server;
            REQUIRE_STATUS(1, server.poll(channel.a));
            const kairos_channel_msg bad = bad_message(pages, server.header.txid);
            rival.race([&] { send_badly(channel.a, bad, 10); },
                       [&] {
                           if (end.received == 0) through.close();
                           end.happen(channel, source, caller.thread());
                       },
                       [] {});
            if (!EXPECT_STATUS(end.called, caller.result())) {
                harness::print("    it was %s", end.name);
            }
        }
    }
}

TEST("a caller is answered in the end") {
    const Pages pages;
    const Channel channel;
    for (int round = 0; round < kRounds; ++round) {
        Inbox reply;
        Blocked caller([&] { return reply.call(channel.a, message_of("q")); });
        Inbox server;
        REQUIRE_STATUS(1, server.poll(channel.b));
        const uint64_t txid = server.header.txid;
        Owned event = make_event();
        kairos_handle_t handle = event;
        kairos_channel_msg bad = bad_message(pages, txid);
        bad.bytes = pages.end() - 200;
        bad.num_bytes = 400;  // which fits
        bad.handles = &handle;
        bad.num_handles = 1;
        EXPECT_STATUS(-EFAULT, kairos_channel_send(channel.b, &bad, 0, kForever));
        EXPECT(is_valid(event));
        EXPECT(caller.still_sleeps());
        const kairos_channel_msg good = message_of("answer", 6, &handle, 1, txid);
        EXPECT_STATUS(0, kairos_channel_send(channel.b, &good, 0, kForever));
        static_cast<void>(event.release());
        EXPECT_STATUS(1, caller.result());
        EXPECT(reply.has_text("answer"));
    }
}
