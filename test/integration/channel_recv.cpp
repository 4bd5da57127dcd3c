// Receiving: errors in their order, hostile memory, what a failure leaves in the queue, the end of
// the stream.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "workers.h"

namespace {

constexpr uint32_t kUnknownOption = 1u << 2;

kairos_status_t receive(kairos_handle_t channel, kairos_channel_msg& message) {
    return kairos_channel_recv(channel, &message, KCHANNEL_OPT_NONBLOCK, kForever);
}

// A message of `text` with one event in it, and the event's id.
uint64_t send_with_event(kairos_handle_t channel, const char* text) {
    Owned event = make_event();
    const uint64_t id = id_of(event);
    kairos_handle_t handle = event.release();
    kairos_channel_msg message = message_of(text);
    message.handles = &handle;
    message.num_handles = 1;
    REQUIRE_STATUS(0, kairos_channel_send(channel, &message, 0, kForever));
    return id;
}

}  // namespace

// ---- The order of errors
// -------------------------------------------------------------------------

TEST("recv: errors in their order") {
    const BadPointers bad;
    const Channel channel;
    const Owned port = make_port();
    const Owned blind = without(channel.b, KRIGHT_READ);
    const kairos_handle_t closed = closed_handle();
    auto* kernel = static_cast<kairos_channel_msg*>(bad.kernel());
    auto* unreachable = static_cast<kairos_channel_msg*>(bad.unreachable());
    auto* handles = static_cast<kairos_handle_t*>(bad.kernel());
    auto* unreachable_handles = static_cast<kairos_handle_t*>(bad.unreachable());
    send_with_event(channel.a, "stays");

    EXPECT_STATUS(-EINVAL, kairos_channel_recv(closed, kernel, kUnknownOption, kPast));
    EXPECT_STATUS(-EINVAL, kairos_channel_recv(channel.b, nullptr, ~0u, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_recv(closed, nullptr, 0, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_recv(closed, kernel, 0, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_recv(closed, unreachable, 0, kPast));

    kairos_channel_msg message = message_of(kernel, 100);
    EXPECT_STATUS(-EFAULT, receive(closed, message));
    message = message_of(nullptr, 0, handles, 1);
    EXPECT_STATUS(-EFAULT, receive(closed, message));
    message = message_of(unreachable, 100, unreachable_handles, 8);
    EXPECT_STATUS(-EBADF, receive(closed, message));
    EXPECT_STATUS(-ENOTSUP, receive(port, message));
    EXPECT_STATUS(-EACCES, receive(blind, message));
    EXPECT_STATUS(-EFAULT, receive(channel.b, message));
    EXPECT_EQ(100u, message.num_bytes);
    EXPECT_EQ(1u, queued_in(channel.b));
}

TEST("recv: every wrong type") {
    Inbox inbox;
    const Owned others[] = {make_port(), make_event(), make_memory(), make_timer()};
    for (const Owned& other : others) EXPECT_STATUS(-ENOTSUP, inbox.poll(other));
    EXPECT_STATUS(-ENOTSUP, inbox.poll(kairos_self_process()));
    EXPECT_STATUS(-ENOTSUP, inbox.poll(kairos_self_thread()));
}

TEST("recv: nothing there") {
    const Channel channel;
    Inbox inbox;
    EXPECT_STATUS(-EAGAIN, inbox.poll(channel.b));
    EXPECT_STATUS(-ETIMEDOUT, inbox.receive(channel.b, 0, kPast));
    EXPECT_STATUS(-ETIMEDOUT, inbox.receive(channel.b, 0, kairos_clock_now() + 1000));
    EXPECT_STATUS(-EAGAIN, inbox.receive(channel.b, KCHANNEL_OPT_NONBLOCK, kPast));
    // Nothing is written.
    EXPECT_EQ(sizeof(inbox.bytes), inbox.header.num_bytes);
    EXPECT_EQ(KCHANNEL_MAX_MSG_HANDLES, inbox.header.num_handles);
    EXPECT_EQ(Inbox::kMark, inbox.header.txid);
    // A message that is there is taken whatever the deadline.
    REQUIRE_STATUS(0, send_text(channel.a, "there"));
    EXPECT_STATUS(1, inbox.receive(channel.b, 0, kPast));
}

// ---- What is delivered
// ---------------------------------------------------------------------------

TEST("recv: sizes around every limit") {
    const Channel channel;
    static unsigned char sent[KCHANNEL_MAX_MSG_BYTES];
    static unsigned char received[KCHANNEL_MAX_MSG_BYTES + 8];
    for (size_t i = 0; i < sizeof(sent); ++i) sent[i] = static_cast<unsigned char>(i * 7 + i / 256);
    for (const uint32_t size :
         {0u, 1u, 7u, 8u, 127u, 128u, 129u, 255u, 4095u, 4096u, 4097u, 8192u, 65535u, 65536u}) {
        const kairos_channel_msg message = message_of(sent, size);
        REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, kForever));
        memset(received, 0xee, sizeof(received));
        kairos_channel_msg room = message_of(received, size);
        REQUIRE_STATUS(1, receive(channel.b, room));
        EXPECT_EQ(size, room.num_bytes);
        EXPECT_EQ(0u, room.num_handles);
        EXPECT_EQ(0u, room.txid);
        EXPECT_EQ(0, memcmp(sent, received, size));
        EXPECT_EQ(0xee, received[size]);
    }
}

TEST("recv: an empty message is not the end") {
    Channel channel;
    const kairos_channel_msg empty = message_of(nullptr, 0);
    REQUIRE_STATUS(0, kairos_channel_send(channel.a, &empty, 0, kForever));
    channel.a.close();
    Inbox inbox;
    EXPECT_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(0u, inbox.header.num_bytes);
    EXPECT_STATUS(0, inbox.poll(channel.b));
    EXPECT_STATUS(0, inbox.poll(channel.b));
}

TEST("recv: room beyond what is delivered is not touched") {
    const Channel channel;
    const Pages pages;
    REQUIRE_STATUS(0, send_text(channel.a, "short"));
    char* bytes = pages.end() - 5;
    auto* handles = pages.last<kairos_handle_t>();
    // The room claimed reaches into a page without access.
    kairos_channel_msg message = message_of(bytes, 60000, handles, KCHANNEL_MAX_MSG_HANDLES);
    EXPECT_STATUS(1, receive(channel.b, message));
    EXPECT_EQ(5u, message.num_bytes);
    EXPECT_EQ(0, memcmp(bytes, "short", 5));

    const uint64_t id = send_with_event(channel.a, "");
    message = message_of(bytes, 60000, handles, KCHANNEL_MAX_MSG_HANDLES);
    EXPECT_STATUS(1, receive(channel.b, message));
    EXPECT_EQ(id, id_of(*handles));
    EXPECT_STATUS(0, kairos_handle_close(*handles, 0));
}

TEST("recv: a pointer with length 0 is not looked at") {
    const BadPointers bad;
    const Channel channel;
    for (const BadPointer& pointer : bad.all) {
        const kairos_channel_msg empty = message_of(nullptr, 0);
        REQUIRE_STATUS(0, kairos_channel_send(channel.a, &empty, 0, kForever));
        kairos_channel_msg message =
            message_of(pointer.address, 0, static_cast<kairos_handle_t*>(pointer.address), 0);
        EXPECT_STATUS(1, receive(channel.b, message));
    }
}

TEST("recv: in the order in which they were sent") {
    const Channel channel;
    for (uint32_t i = 0; i < KCHANNEL_MAX_QUEUE; ++i) REQUIRE_STATUS(0, send_value(channel.a, i));
    Inbox inbox;
    for (uint32_t round = 0; round < 200; ++round) {
        REQUIRE_STATUS(1, inbox.poll(channel.b));
        EXPECT_EQ(round, inbox.value<uint32_t>());
        REQUIRE_STATUS(0, send_value(channel.a, round + KCHANNEL_MAX_QUEUE));
    }
}

TEST("recv: each message to one receiver, those of a sender in order to each") {
    constexpr uint32_t kMessages = 2000;
    const Channel channel;
    std::atomic<uint32_t> received{0};
    std::atomic<uint64_t> sum{0};
    const auto take = [&] {
        Inbox inbox;
        uint32_t last = 0;
        while (inbox.receive(channel.b) == 1) {
            const auto number = inbox.value<uint32_t>();
            if (number == UINT32_MAX) return;
            if (!EXPECT(number > last)) return;
            last = number;
            received.fetch_add(1);
            sum.fetch_add(number);
        }
    };
    Worker one(take);
    Worker two(take);
    Worker three(take);
    for (uint32_t i = 1; i <= kMessages; ++i) REQUIRE_STATUS(0, send_value(channel.a, i));
    for (int i = 0; i < 3; ++i) REQUIRE_STATUS(0, send_value(channel.a, UINT32_MAX));
    one.join();
    two.join();
    three.join();
    EXPECT_EQ(kMessages, received.load());
    EXPECT_EQ(uint64_t{kMessages} * (kMessages + 1) / 2, sum.load());
}

TEST("recv: a txid of the sender's arrives only as a reply") {
    const Channel channel;
    REQUIRE_STATUS(0, send_text(channel.a, "plain"));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(0u, inbox.header.txid);
}

// ---- What does not fit
// ---------------------------------------------------------------------------

TEST("recv: too large a message stays, and says what it needs") {
    const Channel channel;
    const uint64_t id = send_with_event(channel.a, "0123456789");
    REQUIRE_STATUS(0, send_text(channel.a, "next"));
    char bytes[16];
    memset(bytes, 0xee, sizeof(bytes));
    kairos_handle_t handles[2] = {77, 77};
    const uint32_t before = own_handles();
    const struct {
        uint32_t bytes, handles;
    } rooms[] = {{0, 0}, {9, 1}, {9, 0}, {10, 0}, {16, 0}, {0, 2}};
    for (const auto& room : rooms) {
        kairos_channel_msg message = message_of(bytes, room.bytes, handles, room.handles, 5);
        EXPECT_STATUS(-EMSGSIZE, receive(channel.b, message));
        EXPECT_EQ(10u, message.num_bytes);
        EXPECT_EQ(1u, message.num_handles);
        EXPECT_EQ(static_cast<void*>(bytes), message.bytes);
        EXPECT_EQ(handles, message.handles);
    }
    EXPECT_EQ('\xee', bytes[0]);
    EXPECT_EQ(77u, handles[0]);
    EXPECT_EQ(before, own_handles());
    EXPECT_EQ(2u, queued_in(channel.b));
    kairos_channel_msg message = message_of(bytes, 10, handles, 1);
    EXPECT_STATUS(1, receive(channel.b, message));
    EXPECT_EQ(id, id_of(handles[0]));
    EXPECT_STATUS(0, kairos_handle_close(handles[0], 0));
    Inbox inbox;
    EXPECT_STATUS(1, inbox.poll(channel.b));
    EXPECT(inbox.has_text("next"));
}

TEST("recv: bytes that cannot be written: the message stays whole") {
    const BadPointers bad;
    const Channel channel;
    const uint64_t id = send_with_event(channel.a, "payload");
    const uint32_t before = own_handles();
    kairos_handle_t handles[1] = {77};
    for (const BadPointer& pointer : bad.all) {
        kairos_channel_msg message = message_of(pointer.address, 64, handles, 1);
        expect_fault(receive(channel.b, message), pointer, "recv into bytes", __FILE__, __LINE__);
    }
    const Pages pages;
    kairos_channel_msg message = message_of(pages.end() - 3, 64, handles, 1);
    EXPECT_STATUS(-EFAULT, receive(channel.b, message));
    EXPECT_EQ(before, own_handles());
    EXPECT_EQ(1u, queued_in(channel.b));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT(inbox.has_text("payload"));
    EXPECT_EQ(id, id_of(inbox.received[0]));
}

TEST("recv: handles that cannot be written: the message stays whole") {
    const BadPointers bad;
    const Channel channel;
    const uint64_t id = send_with_event(channel.a, "payload");
    const uint32_t before = own_handles();
    char bytes[64];
    for (const BadPointer& pointer : bad.all) {
        kairos_channel_msg message =
            message_of(bytes, sizeof(bytes), static_cast<kairos_handle_t*>(pointer.address), 1);
        expect_fault(receive(channel.b, message), pointer, "recv of handles", __FILE__, __LINE__);
    }
    EXPECT_EQ(before, own_handles());
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(id, id_of(inbox.received[0]));
}

TEST("recv: a header that cannot be written: the message stays whole") {
    const Channel channel;
    const uint64_t id = send_with_event(channel.a, "payload");
    const uint32_t before = own_handles();
    const Pages pages;
    auto* header = reinterpret_cast<kairos_channel_msg*>(pages.begin());
    Inbox inbox;
    *header = *inbox.fresh();
    pages.protect(KPROT_READ);
    EXPECT_STATUS(-EFAULT, kairos_channel_recv(channel.b, header, KCHANNEL_OPT_NONBLOCK, kForever));
    EXPECT_EQ(before, own_handles());
    EXPECT_EQ(1u, queued_in(channel.b));
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(id, id_of(inbox.received[0]));
}

TEST("recv: the next receiver is not kept from a message that another could not take") {
    const Channel channel;
    char byte = 0;
    Blocked small([&] {
        kairos_channel_msg message = message_of(&byte, 1);
        return kairos_channel_recv(channel.b, &message, 0, kForever);
    });
    Inbox inbox;
    Blocked large([&] { return inbox.receive(channel.b); });
    REQUIRE_STATUS(0, send_text(channel.a, "more than one"));
    EXPECT_STATUS(1, large.result());
    EXPECT(inbox.has_text("more than one"));
    // The first has been told, or it still waits for one that fits: then this is it.
    if (small.still_sleeps()) send_text(channel.a, "1");
    EXPECT_ONE_OF(ANY(1, -EMSGSIZE), small.result());
}

// ---- Blocking and the end
// ------------------------------------------------------------------------

TEST("recv: blocks until a message comes") {
    const Channel channel;
    Inbox inbox;
    Blocked receiver([&] { return inbox.receive(channel.b); });
    REQUIRE_STATUS(0, send_text(channel.a, "at last"));
    EXPECT_STATUS(1, receiver.result());
    EXPECT(inbox.has_text("at last"));
}

TEST("recv: blocked, and the peer closes") {
    Channel channel;
    Blocked one([&] {
        Inbox inbox;
        return inbox.receive(channel.b);
    });
    Blocked two([&] {
        Inbox inbox;
        return inbox.receive(channel.b, KCHANNEL_OPT_RENDEZVOUS);
    });
    channel.a.close();
    EXPECT_STATUS(0, one.result());
    EXPECT_STATUS(0, two.result());
}

TEST("recv: blocked, and the last handle of its own endpoint goes") {
    Channel channel;
    const kairos_handle_t through = channel.b;
    Blocked receiver([&] {
        Inbox inbox;
        return inbox.receive(through);
    });
    channel.b.close();
    EXPECT_STATUS(0, receiver.result());
    EXPECT_STATUS(-EPIPE, send_text(channel.a, "nobody"));
}

TEST("recv: blocked, and another handle of its own endpoint goes") {
    Channel channel;
    const Owned copy = duplicate(channel.b);
    Inbox inbox;
    const kairos_handle_t through = channel.b;
    Blocked receiver([&] { return inbox.receive(through); });
    channel.b.close();
    REQUIRE_STATUS(0, send_text(channel.a, "still here"));
    EXPECT_STATUS(1, receiver.result());
    EXPECT(inbox.has_text("still here"));
}

TEST("recv: blocked, and its endpoint is sent away") {
    const Channel carrier;
    Channel channel;
    Inbox inbox;
    const kairos_handle_t through = channel.b;
    Blocked receiver([&] { return inbox.receive(through); });
    REQUIRE_STATUS(0, send_handle(carrier.a, channel.b));
    EXPECT(!is_valid(through));
    REQUIRE_STATUS(0, send_text(channel.a, "held"));
    EXPECT_STATUS(1, receiver.result());
    EXPECT(inbox.has_text("held"));
}

TEST("recv: interrupted") {
    const Channel channel;
    Blocked receiver([&] {
        Inbox inbox;
        return inbox.receive(channel.b);
    });
    receiver.interrupt();
    EXPECT_STATUS(-EINTR, receiver.result());
    REQUIRE_STATUS(0, send_text(channel.a, "kept"));
    EXPECT_EQ(1u, queued_in(channel.b));
}

TEST("recv: what was queued before the peer closed is delivered, with its handles") {
    Channel channel;
    const uint64_t id = send_with_event(channel.a, "first");
    REQUIRE_STATUS(0, send_text(channel.a, "second"));
    channel.a.close();
    EXPECT_EQ(POLLIN | POLLHUP, ready(channel.b, POLLIN | POLLOUT));
    EXPECT_STATUS(-EPIPE, send_text(channel.b, "no"));
    Inbox inbox;
    EXPECT_STATUS(1, inbox.receive(channel.b));
    EXPECT_EQ(id, id_of(inbox.received[0]));
    EXPECT_STATUS(1, inbox.receive(channel.b));
    EXPECT(inbox.has_text("second"));
    EXPECT_EQ(POLLHUP, ready(channel.b, POLLIN | POLLOUT));
    EXPECT_STATUS(0, inbox.receive(channel.b));
    EXPECT_STATUS(0, inbox.poll(channel.b));
    EXPECT_STATUS(0, inbox.receive(channel.b, 0, kPast));
}
