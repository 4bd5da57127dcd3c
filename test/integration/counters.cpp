// What the counters prove of messages: that small ones never allocate, and that a hand-off passes
// neither queue nor page frames.
#include "counter_total.h"
#include "harness.h"
#include "messages.h"
#include "workers.h"

namespace {

struct Totals {
    uint64_t sends = counter_total("channel_sends");
    uint64_t receives = counter_total("channel_receives");
    uint64_t queued = counter_total("channel_queued");
    uint64_t handoffs = counter_total("channel_handoffs");
    uint64_t replies = counter_total("channel_replies");
    uint64_t frames = counter_total("channel_payload_frames");
};

char payload[20000];

}  // namespace

TEST("counters: up to the inline size a message takes no page frames") {
    const Channel channel;
    const Totals before;
    for (int round = 0; round < 10; ++round) {
        for (uint32_t size = 0; size <= KCHANNEL_INLINE_MSG_BYTES; size += 32) {
            const kairos_channel_msg message = message_of(payload, size);
            REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, kForever));
        }
        EXPECT_EQ(5u, drain_queue(channel.b));
    }
    const Totals after;
    EXPECT_EQ(before.sends + 50, after.sends);
    EXPECT_EQ(before.receives + 50, after.receives);
    EXPECT_EQ(before.queued + 50, after.queued);
    EXPECT_EQ(before.frames, after.frames);
}

TEST("counters: beyond it, as many as it needs") {
    const Channel channel;
    const Totals before;
    const kairos_channel_msg message = message_of(payload, sizeof(payload));
    REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, kForever));
    EXPECT_EQ(before.frames + (sizeof(payload) + KAIROS_PAGE_SIZE - 1) / KAIROS_PAGE_SIZE,
              Totals().frames);
}

TEST("counters: a rendezvous takes no queue and no page frames, whatever the size") {
    static char room[sizeof(payload)];
    for (const uint32_t size : {0u, 64u, 129u, static_cast<uint32_t>(sizeof(payload))}) {
        const Channel channel;
        kairos_channel_msg got = message_of(room, sizeof(room));
        Blocked taker([&] {
            return kairos_channel_recv(channel.b, &got, KCHANNEL_OPT_RENDEZVOUS, kForever);
        });
        const Totals before;
        const kairos_channel_msg message = message_of(payload, size);
        REQUIRE_STATUS(0,
                       kairos_channel_send(channel.a, &message, KCHANNEL_OPT_RENDEZVOUS, kForever));
        EXPECT_STATUS(1, taker.result());
        const Totals after;
        EXPECT_EQ(before.handoffs + 1, after.handoffs);
        EXPECT_EQ(before.queued, after.queued);
        EXPECT_EQ(before.frames, after.frames);
    }
}

TEST("counters: a call to a server that waits, and its reply, take neither") {
    const Channel channel;
    Worker server([&] {
        static char room[sizeof(payload)];
        kairos_channel_msg request = message_of(room, sizeof(room));
        kairos_status_t got = kairos_channel_reply_recv(channel.b, nullptr, &request, kForever);
        while (got == 1 && request.num_bytes != 0) {
            const kairos_channel_msg reply =
                message_of(room, request.num_bytes, nullptr, 0, request.txid);
            request = message_of(room, sizeof(room));
            got = kairos_channel_reply_recv(channel.b, &reply, &request, kForever);
        }
    });
    static char answer[sizeof(payload)];
    for (const uint32_t size : {1u, 128u, static_cast<uint32_t>(sizeof(payload))}) {
        server.wait_until_blocked();
        const Totals before;
        const kairos_channel_msg request = message_of(payload, size);
        kairos_channel_msg reply = message_of(answer, sizeof(answer));
        REQUIRE_STATUS(1, kairos_channel_call(channel.a, &request, &reply, kForever));
        const Totals after;
        EXPECT_EQ(before.handoffs + 1, after.handoffs);
        EXPECT_EQ(before.replies + 1, after.replies);
        EXPECT_EQ(before.queued, after.queued);
        EXPECT_EQ(before.frames, after.frames);
    }
    EXPECT_STATUS(0, send_text(channel.a, ""));
}
