// Handles that travel: what they are on the way, and the rendezvous options. Endpoints that lie in
// each other's queues are in collection.cpp.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "roles.h"
#include "workers.h"

// ---- Moving
// --------------------------------------------------------------------------------------

TEST("transfer: the rights travel with the handle") {
    const Channel channel;
    Owned event = make_event();
    REQUIRE_STATUS(0, kairos_cap_rights_limit(event, KRIGHT_TRANSFER | KRIGHT_SIGNAL));
    REQUIRE_STATUS(0, send_handle(channel.a, event));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(KRIGHT_TRANSFER | KRIGHT_SIGNAL, rights_of(inbox.received[0]));
}

TEST("transfer: every type that may travel") {
    const Channel channel;
    Channel other;
    Owned port = make_port(KPORT_CREATE_TRANSFERABLE);
    Owned event = make_event();
    Owned memory = make_memory();
    Owned timer = make_timer();
    Owned process = duplicate(kairos_self_process());
    Owned thread = duplicate(kairos_self_thread());
    Owned* const all[] = {&other.a, &port, &event, &memory, &timer, &process, &thread};
    const uint32_t before = own_handles();
    for (Owned* handle : all) {
        const uint64_t id = id_of(*handle);
        REQUIRE_STATUS(0, send_handle(channel.a, *handle));
        Inbox inbox;
        REQUIRE_STATUS(1, inbox.poll(channel.b));
        EXPECT_EQ(id, id_of(inbox.received[0]));
        *handle = std::move(inbox.received[0]);
    }
    EXPECT_EQ(before, own_handles());
}

TEST("transfer: a port is not transferable unless made so") {
    const Channel channel;
    Owned port = make_port();
    EXPECT_STATUS(-EACCES, send_handle(channel.a, port));
    EXPECT(is_valid(port));
}

TEST("transfer: an endpoint in flight lives") {
    const Channel carrier;
    Channel channel;
    REQUIRE_STATUS(0, send_text(channel.a, "before"));
    REQUIRE_STATUS(0, send_handle(carrier.a, channel.b));
    REQUIRE_STATUS(0, send_text(channel.a, "during"));
    EXPECT_EQ(POLLOUT, ready(channel.a, POLLIN | POLLOUT));
    Inbox carried;
    REQUIRE_STATUS(1, carried.poll(carrier.b));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(carried.received[0]));
    EXPECT(inbox.has_text("before"));
    REQUIRE_STATUS(1, inbox.poll(carried.received[0]));
    EXPECT(inbox.has_text("during"));
}

TEST("transfer: handles in a queue that is dropped are closed") {
    Channel carrier;
    Channel channel;
    REQUIRE_STATUS(0, send_handle(carrier.a, channel.b));
    carrier.b.close();
    // Closing drops what is queued; at the latest in bounded steps right after it.
    uint32_t revents = 0;
    EXPECT_STATUS(0, kairos_object_wait(channel.a, POLLIN, kForever, &revents));
    EXPECT_EQ(POLLHUP, revents);
}

TEST("transfer: to another process and back") {
    const Channel channel;
    Channel ends;
    const Owned process =
        spawn_role("sends back what it gets", {{KAIROS_BOOT_USER0, ends.b.release()}});
    Owned event = make_event();
    const uint64_t id = id_of(event);
    REQUIRE_STATUS(0, send_handle(ends.a, event));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.receive(ends.a));
    EXPECT_EQ(id, id_of(inbox.received[0]));
    ends.a.close();
    EXPECT_EQ(0, exit_code_of(process));
}

ROLE("sends back what it gets") {
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_USER0);
    Inbox inbox;
    while (inbox.receive(channel) == 1) {
        for (Owned& received : inbox.received) {
            if (received != KAIROS_HANDLE_INVALID && send_handle(channel, received) != 0) return 2;
        }
    }
    return 0;
}

// ---- Rendezvous
// ----------------------------------------------------------------------------------

TEST("rendezvous: without a receiver the message queues") {
    const Channel channel;
    const uint32_t options = KCHANNEL_OPT_RENDEZVOUS | KCHANNEL_OPT_NONBLOCK;
    EXPECT_STATUS(0, send_text(channel.a, "queued", options));
    EXPECT_EQ(1u, queued_in(channel.b));
    Inbox inbox;
    EXPECT_STATUS(1, inbox.receive(channel.b, options));
    EXPECT(inbox.has_text("queued"));
    EXPECT_STATUS(-EAGAIN, inbox.receive(channel.b, options));
    fill_queue(channel.a);
    EXPECT_STATUS(-EAGAIN, send_text(channel.a, "full", options));
    EXPECT_STATUS(-ETIMEDOUT, send_text(channel.a, "full", KCHANNEL_OPT_RENDEZVOUS, kPast));
}

TEST("rendezvous: every combination of the two sides delivers") {
    static char large[20000];
    memset(large, 'L', sizeof(large));
    for (const uint32_t sender : {0u, KCHANNEL_OPT_RENDEZVOUS}) {
        for (const uint32_t receiver : {0u, KCHANNEL_OPT_RENDEZVOUS}) {
            for (const uint32_t size : {0u, 5u, 128u, 129u, 20000u}) {
                const Channel channel;
                static char room[20001];
                kairos_handle_t handle = KAIROS_HANDLE_INVALID;
                kairos_channel_msg got = message_of(room, sizeof(room), &handle, 1);
                Blocked taker(
                    [&] { return kairos_channel_recv(channel.b, &got, receiver, kForever); });
                Owned event = make_event();
                const uint64_t id = id_of(event);
                kairos_handle_t sent = event.release();
                const kairos_channel_msg message = message_of(large, size, &sent, 1);
                REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, sender, kForever));
                EXPECT_STATUS(1, taker.result());
                EXPECT_EQ(size, got.num_bytes);
                EXPECT_EQ(0, memcmp(room, large, size));
                EXPECT_EQ(1u, got.num_handles);
                const Owned received(handle);
                EXPECT_EQ(id, id_of(received));
                EXPECT(!is_valid(sent));
            }
        }
    }
}

TEST("rendezvous: an armed receiver without enough room") {
    const Channel channel;
    char byte = 0;
    kairos_channel_msg small = message_of(&byte, 1);
    Blocked taker(
        [&] { return kairos_channel_recv(channel.b, &small, KCHANNEL_OPT_RENDEZVOUS, kForever); });
    EXPECT_STATUS(0, send_text(channel.a, "too much", KCHANNEL_OPT_RENDEZVOUS));
    EXPECT_STATUS(-EMSGSIZE, taker.result());
    EXPECT_EQ(8u, small.num_bytes);
    Inbox inbox;
    EXPECT_STATUS(1, inbox.poll(channel.b));
    EXPECT(inbox.has_text("too much"));
}

TEST("rendezvous: an armed receiver whose memory is bad") {
    const Channel channel;
    const Pages pages;
    kairos_channel_msg room = message_of(pages.end() - 2, 100);
    Blocked taker(
        [&] { return kairos_channel_recv(channel.b, &room, KCHANNEL_OPT_RENDEZVOUS, kForever); });
    Owned event = make_event();
    kairos_handle_t handle = event.release();
    const kairos_channel_msg message = message_of("a long text", 11, &handle, 1);
    // The sender has done nothing wrong.
    EXPECT_STATUS(0, kairos_channel_send(channel.a, &message, KCHANNEL_OPT_RENDEZVOUS, kForever));
    EXPECT_ONE_OF(ANY(-EFAULT, -EMSGSIZE), taker.result());
    Inbox inbox;
    EXPECT_STATUS(1, inbox.poll(channel.b));
    EXPECT(inbox.has_text("a long text"));
    EXPECT(is_valid(inbox.handles[0]));
}

TEST("rendezvous: a sender whose memory is bad leaves the receiver waiting") {
    for (const uint32_t size : {100u, 8000u}) {
        const Channel channel;
        const Pages pages(2);
        static char large[8192];
        kairos_channel_msg room = message_of(large, sizeof(large));
        Blocked taker([&] {
            return kairos_channel_recv(channel.b, &room, KCHANNEL_OPT_RENDEZVOUS, kForever);
        });
        Owned event = make_event();
        kairos_handle_t handle = event;
        const kairos_channel_msg bad = message_of(pages.end() - size + 1, size);
        const kairos_channel_msg bad_with_handle =
            message_of(pages.end() - size + 1, size, &handle, 1);
        EXPECT_STATUS(-EFAULT,
                      kairos_channel_send(channel.a, &bad, KCHANNEL_OPT_RENDEZVOUS, kForever));
        EXPECT_STATUS(-EFAULT, kairos_channel_send(channel.a, &bad_with_handle,
                                                   KCHANNEL_OPT_RENDEZVOUS, kForever));
        EXPECT(is_valid(event));
        EXPECT(taker.still_sleeps());
        EXPECT_EQ(0u, queued_in(channel.b));
        EXPECT_STATUS(0, send_text(channel.a, "good", KCHANNEL_OPT_RENDEZVOUS));
        EXPECT_STATUS(1, taker.result());
        EXPECT_EQ(4u, room.num_bytes);
        EXPECT(memcmp(large, "good", 4) == 0);
    }
}

TEST("rendezvous: never reorders") {
    constexpr uint32_t kMessages = 1000;
    const Channel channel;
    Worker taker([&] {
        Inbox inbox;
        for (uint32_t i = 0; i < kMessages; ++i) {
            const uint32_t options = i % 3 == 0 ? 0 : KCHANNEL_OPT_RENDEZVOUS;
            if (!EXPECT_STATUS(1, inbox.receive(channel.b, options))) return;
            if (!EXPECT_EQ(i, inbox.value<uint32_t>())) return;
        }
    });
    for (uint32_t i = 0; i < kMessages; ++i) {
        const uint32_t options = i % 2 == 0 ? 0 : KCHANNEL_OPT_RENDEZVOUS;
        REQUIRE_STATUS(0, send_value(channel.a, i, options));
    }
    taker.join();
}

TEST("rendezvous: of two receivers only one opted in") {
    constexpr uint32_t kMessages = 500;
    const Channel channel;
    std::atomic<uint32_t> received{0};
    const auto take = [&](uint32_t options) {
        Inbox inbox;
        while (inbox.receive(channel.b, options) == 1) {
            if (inbox.header.num_bytes == 0) return;
            received.fetch_add(1);
        }
    };
    Worker plain([&] { take(0); });
    Worker armed([&] { take(KCHANNEL_OPT_RENDEZVOUS); });
    for (uint32_t i = 0; i < kMessages; ++i) {
        REQUIRE_STATUS(0, send_value(channel.a, i, i % 2 == 0 ? 0 : KCHANNEL_OPT_RENDEZVOUS));
    }
    for (int i = 0; i < 2; ++i) REQUIRE_STATUS(0, send_text(channel.a, ""));
    plain.join();
    armed.join();
    EXPECT_EQ(kMessages, received.load());
}
