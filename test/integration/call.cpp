// Call and reply_recv: errors in their order, replies to the right caller, late ones, ends.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "workers.h"

namespace {

// Answers `channel` until its stream ends: numbers with their double.
void serve(kairos_handle_t channel) {
    Inbox inbox;
    uint64_t answer = 0;
    kairos_channel_msg reply = message_of(&answer, sizeof(answer));
    kairos_channel_msg* pending = nullptr;
    while (kairos_channel_reply_recv(channel, pending, inbox.fresh(), kForever) == 1) {
        pending = inbox.header.txid != 0 ? &reply : nullptr;
        answer = inbox.value<uint64_t>() * 2;
        reply.txid = inbox.header.txid;
    }
}

kairos_channel_msg reply_to(const Inbox& request, const char* text) {
    kairos_channel_msg reply = message_of(text);
    reply.txid = request.header.txid;
    return reply;
}

}  // namespace

// ---- The order of errors
// -------------------------------------------------------------------------

TEST("call: errors in their order") {
    const BadPointers bad;
    const Channel channel;
    const Owned port = make_port();
    const Owned blind = without(channel.a, KRIGHT_READ);
    const Owned mute = without(channel.a, KRIGHT_WRITE);
    const kairos_handle_t closed = closed_handle();
    auto* kernel = static_cast<kairos_channel_msg*>(bad.kernel());
    auto* unreachable = static_cast<kairos_channel_msg*>(bad.unreachable());
    kairos_channel_msg good = message_of("x");
    char room[16];
    kairos_channel_msg good_room = message_of(room, sizeof(room));

    EXPECT_STATUS(-EFAULT, kairos_channel_call(closed, nullptr, &good_room, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_call(closed, &good, nullptr, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_call(closed, kernel, unreachable, kPast));
    // The structs come before the lengths in them.
    kairos_channel_msg request = message_of(kernel, KCHANNEL_MAX_MSG_BYTES + 1);
    EXPECT_STATUS(-EFAULT, kairos_channel_call(closed, &request, unreachable, kPast));
    kairos_channel_msg reply = message_of(kernel, 1);
    EXPECT_STATUS(-EMSGSIZE, kairos_channel_call(closed, &request, &reply, kPast));
    request = message_of("x", 1, nullptr, KCHANNEL_MAX_MSG_HANDLES + 1);
    EXPECT_STATUS(-EMSGSIZE, kairos_channel_call(closed, &request, &reply, kPast));
    request = message_of(kernel, 1);
    EXPECT_STATUS(-EFAULT, kairos_channel_call(closed, &request, &good_room, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_call(closed, &good, &reply, kPast));
    request = message_of(unreachable, 1);
    reply = message_of(unreachable, 1);
    EXPECT_STATUS(-EBADF, kairos_channel_call(closed, &request, &reply, kPast));
    EXPECT_STATUS(-ENOTSUP, kairos_channel_call(port, &request, &reply, kPast));
    EXPECT_STATUS(-EACCES, kairos_channel_call(blind, &request, &reply, kPast));
    EXPECT_STATUS(-EACCES, kairos_channel_call(mute, &request, &reply, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_call(channel.a, &request, &reply, kPast));
    EXPECT_EQ(0u, queued_in(channel.b));
}

TEST("reply_recv: errors in their order") {
    const BadPointers bad;
    const Channel channel;
    const Owned port = make_port();
    const Owned blind = without(channel.a, KRIGHT_READ);
    const Owned mute = without(channel.a, KRIGHT_WRITE);
    const kairos_handle_t closed = closed_handle();
    auto* kernel = static_cast<kairos_channel_msg*>(bad.kernel());
    auto* unreachable = static_cast<kairos_channel_msg*>(bad.unreachable());
    kairos_channel_msg good = message_of("x");
    char room[16];
    kairos_channel_msg good_room = message_of(room, sizeof(room));

    EXPECT_STATUS(-EFAULT, kairos_channel_reply_recv(closed, kernel, &good_room, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_reply_recv(closed, unreachable, &good_room, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_reply_recv(closed, &good, nullptr, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_reply_recv(closed, nullptr, nullptr, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_reply_recv(closed, nullptr, kernel, kPast));
    kairos_channel_msg reply = message_of(kernel, KCHANNEL_MAX_MSG_BYTES + 1);
    kairos_channel_msg next = message_of(kernel, 1);
    EXPECT_STATUS(-EMSGSIZE, kairos_channel_reply_recv(closed, &reply, &next, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_reply_recv(closed, &good, &next, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_reply_recv(closed, nullptr, &next, kPast));
    reply = message_of(unreachable, 1);
    EXPECT_STATUS(-EBADF, kairos_channel_reply_recv(closed, &reply, &good_room, kPast));
    EXPECT_STATUS(-EBADF, kairos_channel_reply_recv(closed, nullptr, &good_room, kPast));
    EXPECT_STATUS(-ENOTSUP, kairos_channel_reply_recv(port, &reply, &good_room, kPast));
    EXPECT_STATUS(-EACCES, kairos_channel_reply_recv(blind, nullptr, &good_room, kPast));
    EXPECT_STATUS(-EACCES, kairos_channel_reply_recv(mute, &reply, &good_room, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_reply_recv(channel.a, &reply, &good_room, kPast));
    // Without a reply to send, no right to send is needed.
    EXPECT_STATUS(-ETIMEDOUT, kairos_channel_reply_recv(mute, nullptr, &good_room, kPast));
    EXPECT_EQ(0u, queued_in(channel.b));
}

TEST("call: what is wrong with the handles of the request") {
    const Channel channel;
    Owned event = make_event();
    const Owned rooted = without(event, KRIGHT_TRANSFER);
    Inbox inbox;
    kairos_handle_t handles[2] = {event, closed_handle()};
    const kairos_channel_msg request = message_of("x", 1, handles, 2);
    EXPECT_STATUS(-EBADF, inbox.call(channel.a, request, kPast));
    handles[1] = rooted;
    EXPECT_STATUS(-EACCES, inbox.call(channel.a, request, kPast));
    handles[1] = event;
    EXPECT_STATUS(-EINVAL, inbox.call(channel.a, request, kPast));
    handles[1] = channel.a;
    EXPECT_STATUS(-EINVAL, inbox.call(channel.a, request, kPast));
    handles[1] = channel.b;
    EXPECT_STATUS(-EINVAL, inbox.call(channel.a, request, kPast));
    EXPECT_EQ(0u, queued_in(channel.b));
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
}

// ---- Replies
// -------------------------------------------------------------------------------------

TEST("call: the request has a fresh txid, whatever the caller wrote") {
    const Channel channel;
    Inbox server;
    uint64_t last = 0;
    for (int i = 0; i < 3; ++i) {
        Inbox reply;
        kairos_channel_msg request = message_of("what?");
        request.txid = 99;
        Blocked caller([&] { return reply.call(channel.a, request); });
        REQUIRE_STATUS(1, server.receive(channel.b));
        EXPECT(server.has_text("what?"));
        EXPECT(server.header.txid != 0);
        EXPECT(server.header.txid != last);
        last = server.header.txid;
        const kairos_channel_msg answer = reply_to(server, "that");
        REQUIRE_STATUS(0, kairos_channel_send(channel.b, &answer, 0, kForever));
        EXPECT_STATUS(1, caller.result());
        EXPECT(reply.has_text("that"));
        EXPECT_EQ(99u, request.txid);
        EXPECT_EQ(0u, queued_in(channel.a));
    }
}

TEST("call: handles both ways") {
    const Channel channel;
    Owned event = make_event();
    const uint64_t id = id_of(event);
    kairos_handle_t sent = event.release();
    Inbox reply;
    Blocked caller([&] { return reply.call(channel.a, message_of("take", 4, &sent, 1)); });
    Inbox server;
    REQUIRE_STATUS(1, server.receive(channel.b));
    EXPECT_EQ(id, id_of(server.received[0]));
    kairos_handle_t back = server.received[0].release();
    const kairos_channel_msg answer = message_of("back", 4, &back, 1, server.header.txid);
    REQUIRE_STATUS(0, kairos_channel_send(channel.b, &answer, 0, kForever));
    REQUIRE_STATUS(1, caller.result());
    EXPECT_EQ(id, id_of(reply.received[0]));
    EXPECT(!is_valid(sent));
}

TEST("call: plain messages are left alone") {
    const Channel channel;
    Inbox reply;
    Blocked caller([&] { return reply.call(channel.a, message_of("question")); });
    Inbox server;
    REQUIRE_STATUS(1, server.receive(channel.b));
    REQUIRE_STATUS(0, send_text(channel.b, "news"));
    EXPECT(caller.still_sleeps());
    const kairos_channel_msg answer = reply_to(server, "answer");
    REQUIRE_STATUS(0, kairos_channel_send(channel.b, &answer, 0, kForever));
    EXPECT_STATUS(1, caller.result());
    EXPECT(reply.has_text("answer"));
    REQUIRE_STATUS(1, reply.poll(channel.a));
    EXPECT(reply.has_text("news"));
}

TEST("call: a receiver on the same endpoint does not get the reply") {
    const Channel channel;
    Inbox news;
    Blocked reader([&] { return news.receive(channel.a); });
    Inbox reply;
    Blocked caller([&] { return reply.call(channel.a, message_of("question")); });
    Inbox server;
    REQUIRE_STATUS(1, server.receive(channel.b));
    const kairos_channel_msg answer = reply_to(server, "answer");
    REQUIRE_STATUS(0, kairos_channel_send(channel.b, &answer, 0, kForever));
    EXPECT_STATUS(1, caller.result());
    EXPECT(reader.still_sleeps());
    REQUIRE_STATUS(0, send_text(channel.b, "news"));
    EXPECT_STATUS(1, reader.result());
    EXPECT(news.has_text("news"));
}

TEST("call: many callers through one endpoint, answered in another order") {
    constexpr uint32_t kCallers = 16;
    const Channel channel;
    struct Caller {
        kairos_handle_t channel;
        uint64_t number;
        std::atomic<bool>* failed;
        static void run(void* self_pointer) {
            auto* self = static_cast<Caller*>(self_pointer);
            Inbox reply;
            const kairos_channel_msg request = message_of(&self->number, sizeof(self->number));
            if (reply.call(self->channel, request) != 1 ||
                reply.value<uint64_t>() != self->number + 1000) {
                *self->failed = true;
            }
        }
    };
    std::atomic<bool> failed{false};
    Caller callers[kCallers];
    Owned threads[kCallers];
    for (uint32_t i = 0; i < kCallers; ++i) {
        callers[i] = {channel.a, i, &failed};
        REQUIRE_STATUS(0, kairos_thread_spawn(Caller::run, &callers[i], threads[i].out()));
    }
    uint64_t txids[kCallers];
    uint64_t numbers[kCallers];
    for (uint32_t i = 0; i < kCallers; ++i) {
        Inbox server;
        REQUIRE_STATUS(1, server.receive(channel.b));
        txids[i] = server.header.txid;
        numbers[i] = server.value<uint64_t>();
    }
    for (uint32_t i = 0; i < kCallers; ++i) {
        const uint32_t which = (i * 7 + 3) % kCallers;
        const uint64_t answer = numbers[which] + 1000;
        const kairos_channel_msg reply =
            message_of(&answer, sizeof(answer), nullptr, 0, txids[which]);
        REQUIRE_STATUS(0, kairos_channel_send(channel.b, &reply, 0, kForever));
    }
    for (const Owned& thread : threads) EXPECT_STATUS(0, kairos_thread_join(thread, kForever));
    EXPECT(!failed);
}

TEST("call: a server loop") {
    Channel channel;
    Worker server([&] { serve(channel.b); });
    Inbox reply;
    for (uint64_t i = 0; i < 500; ++i) {
        REQUIRE_STATUS(1, reply.call(channel.a, message_of(&i, sizeof(i))));
        REQUIRE_EQ(i * 2, reply.value<uint64_t>());
    }
    channel.a.close();
    server.join();
}

TEST("call: four clients and two servers on one channel") {
    Channel channel;
    const auto call_many = [&](uint64_t first) {
        Inbox reply;
        for (uint64_t i = first; i < first + 250; ++i) {
            if (!EXPECT_STATUS(1, reply.call(channel.a, message_of(&i, sizeof(i))))) return;
            if (!EXPECT_EQ(i * 2, reply.value<uint64_t>())) return;
        }
    };
    Worker server0([&] { serve(channel.b); });
    Worker server1([&] { serve(channel.b); });
    {
        Worker client0([&] { call_many(0); });
        Worker client1([&] { call_many(10'000); });
        Worker client2([&] { call_many(20'000); });
        Worker client3([&] { call_many(30'000); });
    }
    channel.a.close();
    server0.join();
    server1.join();
}

// ---- Replies that come too late or do not fit
// ----------------------------------------------------

TEST("call: out of time, the request stays sent, the late reply is dropped") {
    const Channel channel;
    Owned event = make_event();
    kairos_handle_t sent = event.release();
    Inbox reply;
    EXPECT_STATUS(-ETIMEDOUT,
                  reply.call(channel.a, message_of("slow", 4, &sent, 1), kairos_clock_now() + 1));
    EXPECT(!is_valid(sent));
    Inbox server;
    REQUIRE_STATUS(1, server.poll(channel.b));
    EXPECT(server.has_text("slow"));
    EXPECT(is_valid(server.received[0]));
    Channel inner;
    kairos_handle_t handle = inner.a.release();
    const kairos_channel_msg late = message_of("late", 4, &handle, 1, server.header.txid);
    EXPECT_STATUS(0, kairos_channel_send(channel.b, &late, 0, kForever));
    EXPECT(!is_valid(handle));
    EXPECT_EQ(POLLHUP, ready(inner.b, 0));
    EXPECT_EQ(0u, queued_in(channel.a));
    EXPECT_STATUS(-EAGAIN, reply.poll(channel.a));
}

TEST("call: a reply is given once") {
    const Channel channel;
    Inbox reply;
    Blocked caller([&] { return reply.call(channel.a, message_of("q")); });
    Inbox server;
    REQUIRE_STATUS(1, server.receive(channel.b));
    const kairos_channel_msg first = reply_to(server, "first");
    const kairos_channel_msg second = reply_to(server, "second");
    EXPECT_STATUS(0, kairos_channel_send(channel.b, &first, 0, kForever));
    EXPECT_STATUS(0, kairos_channel_send(channel.b, &second, 0, kForever));
    EXPECT_STATUS(1, caller.result());
    EXPECT(reply.has_text("first"));
    EXPECT_EQ(0u, queued_in(channel.a));
}

TEST("call: a reply that does not fit is dropped, and says what it needs") {
    const Channel channel;
    char room[4];
    kairos_channel_msg reply = message_of(room, sizeof(room));
    const kairos_channel_msg request = message_of("q");
    Blocked caller([&] { return kairos_channel_call(channel.a, &request, &reply, kForever); });
    Inbox server;
    REQUIRE_STATUS(1, server.receive(channel.b));
    Channel inner;
    kairos_handle_t handle = inner.a.release();
    const kairos_channel_msg answer = message_of("too long", 8, &handle, 1, server.header.txid);
    EXPECT_STATUS(0, kairos_channel_send(channel.b, &answer, 0, kForever));
    EXPECT_STATUS(-EMSGSIZE, caller.result());
    EXPECT_EQ(8u, reply.num_bytes);
    EXPECT_EQ(1u, reply.num_handles);
    EXPECT_EQ(POLLHUP, ready(inner.b, 0));
    EXPECT_EQ(0u, queued_in(channel.a));
}

TEST("call: a reply into bad memory is dropped") {
    const Channel channel;
    const Pages pages;
    kairos_channel_msg reply = message_of(pages.end() - 2, 64);
    const kairos_channel_msg request = message_of("q");
    Blocked caller([&] { return kairos_channel_call(channel.a, &request, &reply, kForever); });
    Inbox server;
    REQUIRE_STATUS(1, server.receive(channel.b));
    const kairos_channel_msg answer = reply_to(server, "a reply");
    EXPECT_STATUS(0, kairos_channel_send(channel.b, &answer, 0, kForever));
    EXPECT_STATUS(-EFAULT, caller.result());
    EXPECT_EQ(0u, queued_in(channel.a));
}

TEST("call: a reply from bad memory leaves the caller waiting for a good one") {
    const Channel channel;
    const Pages pages(2);
    static char answer[8192];
    kairos_channel_msg room = message_of(answer, sizeof(answer));
    const kairos_channel_msg request = message_of("question");
    Blocked caller([&] { return kairos_channel_call(channel.a, &request, &room, kForever); });
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    const uint64_t txid = inbox.header.txid;
    for (const uint32_t size : {100u, 8000u}) {
        const kairos_channel_msg bad = message_of(pages.end() - size + 1, size, nullptr, 0, txid);
        EXPECT_STATUS(-EFAULT, kairos_channel_send(channel.b, &bad, 0, kForever));
        EXPECT(caller.still_sleeps());
    }
    const kairos_channel_msg good = message_of(pages.begin(), 8000, nullptr, 0, txid);
    memset(pages.begin(), 'g', 8000);
    EXPECT_STATUS(0, kairos_channel_send(channel.b, &good, 0, kForever));
    EXPECT_STATUS(1, caller.result());
    EXPECT_EQ(8000u, room.num_bytes);
    EXPECT(answer[0] == 'g' && answer[7999] == 'g');
}

TEST("call: no time at all") {
    const Channel channel;
    Inbox reply;
    // Polls once: the request goes out, the reply cannot be there.
    EXPECT_STATUS(-ETIMEDOUT, reply.call(channel.a, message_of("q"), kPast));
    drain_queue(channel.b);
    fill_queue(channel.a);
    Owned event = make_event();
    kairos_handle_t handle = event;
    // Not even sent: the handle stays.
    EXPECT_STATUS(-ETIMEDOUT, reply.call(channel.a, message_of("q", 1, &handle, 1), kPast));
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
    EXPECT_EQ(KCHANNEL_MAX_QUEUE, queued_in(channel.b));
}

TEST("call: interrupted while it waits for the reply") {
    const Channel channel;
    Inbox reply;
    Blocked caller([&] { return reply.call(channel.a, message_of("q")); });
    caller.interrupt();
    EXPECT_STATUS(-EINTR, caller.result());
    Inbox server;
    REQUIRE_STATUS(1, server.poll(channel.b));
    const kairos_channel_msg answer = reply_to(server, "late");
    EXPECT_STATUS(0, kairos_channel_send(channel.b, &answer, 0, kForever));
    EXPECT_EQ(0u, queued_in(channel.a));
}

// ---- Ends
// ----------------------------------------------------------------------------------------

TEST("call: to a peer that is closed") {
    Channel channel;
    channel.b.close();
    Owned event = make_event();
    kairos_handle_t handle = event;
    Inbox reply;
    EXPECT_STATUS(-EPIPE, reply.call(channel.a, message_of("q", 1, &handle, 1)));
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
}

TEST("call: the server's end is every caller's") {
    Channel channel;
    const auto call = [&] {
        Inbox reply;
        return reply.call(channel.a, message_of("q"));
    };
    Blocked one(call);
    Blocked two(call);
    Blocked three(call);
    Inbox server;
    REQUIRE_STATUS(1, server.receive(channel.b));  // one request taken, the others still queued
    channel.b.close();
    EXPECT_STATUS(-EPIPE, one.result());
    EXPECT_STATUS(-EPIPE, two.result());
    EXPECT_STATUS(-EPIPE, three.result());
}

TEST("call: the end of the caller's own endpoint") {
    Channel channel;
    const kairos_handle_t through = channel.a;
    Blocked caller([&] {
        Inbox reply;
        return reply.call(through, message_of("q"));
    });
    channel.a.close();
    EXPECT_STATUS(-EPIPE, caller.result());
    Inbox server;
    EXPECT_STATUS(1, server.poll(channel.b));
    EXPECT_STATUS(0, server.poll(channel.b));
}

TEST("reply_recv: the end of the stream") {
    Channel channel;
    Inbox inbox;
    REQUIRE_STATUS(0, send_text(channel.a, "last"));
    channel.a.close();
    EXPECT_STATUS(1, kairos_channel_reply_recv(channel.b, nullptr, inbox.fresh(), kForever));
    EXPECT(inbox.has_text("last"));
    EXPECT_STATUS(0, kairos_channel_reply_recv(channel.b, nullptr, inbox.fresh(), kForever));
}

TEST("reply_recv: a reply to a closed peer is dropped silently, its handles closed") {
    for (const bool something_queued : {false, true}) {
        Channel channel;
        Inbox inbox;
        EXPECT_STATUS(-ETIMEDOUT, inbox.call(channel.a, message_of("q"), kPast));
        Inbox server;
        REQUIRE_STATUS(1, server.poll(channel.b));
        if (something_queued) REQUIRE_STATUS(0, send_text(channel.a, "last"));
        channel.a.close();
        Channel inner;
        kairos_handle_t handle = inner.a.release();
        const kairos_channel_msg late = message_of("late", 4, &handle, 1, server.header.txid);
        EXPECT_STATUS(something_queued ? 1 : 0, server.reply_receive(channel.b, &late));
        EXPECT(!is_valid(handle));
        EXPECT_EQ(POLLHUP, ready(inner.b, 0));
    }
}

TEST("reply_recv: a reply whose caller has gone is dropped silently") {
    const Channel channel;
    Inbox inbox;
    EXPECT_STATUS(-ETIMEDOUT, inbox.call(channel.a, message_of("q"), kPast));
    Inbox server;
    REQUIRE_STATUS(1, server.poll(channel.b));
    REQUIRE_STATUS(0, send_text(channel.a, "next"));
    Channel inner;
    kairos_handle_t handle = inner.a.release();
    kairos_channel_msg late = message_of("late", 4, &handle, 1, server.header.txid);
    EXPECT_STATUS(1, kairos_channel_reply_recv(channel.b, &late, server.fresh(), kForever));
    EXPECT(server.has_text("next"));
    EXPECT_EQ(POLLHUP, ready(inner.b, 0));
}

TEST("reply_recv: what was sent stays sent when the receive fails") {
    const Channel channel;
    Inbox reply;
    Blocked caller([&] { return reply.call(channel.a, message_of("q")); });
    Inbox server;
    REQUIRE_STATUS(1, server.receive(channel.b));
    const kairos_channel_msg answer = reply_to(server, "answer");
    EXPECT_STATUS(-ETIMEDOUT, kairos_channel_reply_recv(channel.b, &answer, server.fresh(), kPast));
    EXPECT_STATUS(1, caller.result());
    EXPECT(reply.has_text("answer"));
}
