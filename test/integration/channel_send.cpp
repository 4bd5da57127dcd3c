// Sending: errors in their order, hostile memory, limits, and what a failure leaves as it was.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "workers.h"

namespace {

constexpr uint32_t kUnknownOption = 1u << 2;

kairos_status_t send(kairos_handle_t channel, const kairos_channel_msg& message,
                     uint32_t options = KCHANNEL_OPT_NONBLOCK) {
    return kairos_channel_send(channel, &message, options, kForever);
}

}  // namespace

TEST("create: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EINVAL, kairos_channel_create(1, kernel, kernel));
    EXPECT_STATUS(-EINVAL, kairos_channel_create(~0u, &out, &out));
    EXPECT_STATUS(-EFAULT, kairos_channel_create(0, kernel, &out));
    EXPECT_STATUS(-EFAULT, kairos_channel_create(0, &out, kernel));
    EXPECT_EQ(77u, out);
    kairos_handle_t other = KAIROS_HANDLE_INVALID;
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_channel_create(0, out, &other));
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_channel_create(0, &other, out));
}

TEST("create: two ends of one channel") {
    const Channel channel;
    EXPECT(channel.a != channel.b);
    EXPECT(id_of(channel.a) != id_of(channel.b));
    const auto a = info_of<kairos_info_channel>(channel.a, KAIROS_INFO_CHANNEL);
    EXPECT_EQ(id_of(channel.b), a.peer_id);
    EXPECT_EQ(KAIROS_ENDPOINT_OPEN, a.state);
    EXPECT_EQ(0u, a.queued);
    EXPECT_EQ(1u, a.owners_handle);
    EXPECT_EQ(0u, a.owners_fd);
    const Owned copy = duplicate(channel.a);
    EXPECT_EQ(2u, info_of<kairos_info_channel>(channel.a, KAIROS_INFO_CHANNEL).owners_handle);
}

// ---- The order of errors
// -------------------------------------------------------------------------

TEST("send: errors in their order") {
    const BadPointers bad;
    const Channel channel;
    const Owned port = make_port();
    const Owned deaf = without(channel.a, KRIGHT_WRITE);
    const kairos_handle_t closed = closed_handle();
    auto* kernel = static_cast<kairos_channel_msg*>(bad.kernel());
    auto* unreachable = static_cast<kairos_channel_msg*>(bad.unreachable());
    auto* kernel_handles = static_cast<kairos_handle_t*>(bad.kernel());
    auto* unreachable_handles = static_cast<kairos_handle_t*>(bad.unreachable());

    EXPECT_STATUS(-EINVAL, kairos_channel_send(closed, kernel, kUnknownOption, kPast));
    EXPECT_STATUS(-EINVAL, kairos_channel_send(channel.a, nullptr, ~0u, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_send(closed, nullptr, 0, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_send(closed, kernel, 0, kPast));
    EXPECT_STATUS(-EFAULT, kairos_channel_send(closed, unreachable, 0, kPast));

    kairos_channel_msg message = message_of(kernel, KCHANNEL_MAX_MSG_BYTES + 1, kernel_handles,
                                            KCHANNEL_MAX_MSG_HANDLES + 1);
    EXPECT_STATUS(-EMSGSIZE, send(closed, message));
    message.num_bytes = UINT32_MAX;
    message.num_handles = 0;
    EXPECT_STATUS(-EMSGSIZE, send(closed, message));
    message.num_bytes = 1;
    message.num_handles = KCHANNEL_MAX_MSG_HANDLES + 1;
    EXPECT_STATUS(-EMSGSIZE, send(closed, message));
    message.num_handles = UINT32_MAX;
    EXPECT_STATUS(-EMSGSIZE, send(closed, message));
    message.num_handles = 0;
    EXPECT_STATUS(-EFAULT, send(closed, message));
    message = message_of("x", 1, kernel_handles, 1);
    EXPECT_STATUS(-EFAULT, send(closed, message));
    // Bad pages are found when they are touched, which is after the handle has been looked at.
    message = message_of(unreachable, 1, unreachable_handles, 1);
    EXPECT_STATUS(-EBADF, send(closed, message));
    EXPECT_STATUS(-ENOTSUP, send(port, message));
    EXPECT_STATUS(-EACCES, send(deaf, message));
    EXPECT_STATUS(-EFAULT, send(channel.a, message));
    EXPECT_EQ(0u, queued_in(channel.b));
}

TEST("send: every wrong type") {
    const Owned others[] = {make_port(), make_event(), make_memory(), make_timer()};
    for (const Owned& other : others) EXPECT_STATUS(-ENOTSUP, send_text(other, "x"));
    EXPECT_STATUS(-ENOTSUP, send_text(kairos_self_process(), "x"));
    EXPECT_STATUS(-ENOTSUP, send_text(kairos_self_thread(), "x"));
    EXPECT_STATUS(-ENOTSUP, send_text(kairos_self_aspace(), "x"));
    EXPECT_STATUS(-ENOTSUP, send_text(kairos_bootstrap(KAIROS_BOOT_RESOURCE), "x"));
}

TEST("send: what is wrong with the handles") {
    const Channel channel;
    Owned event = make_event();
    const Owned rooted = without(event, KRIGHT_TRANSFER);
    const kairos_handle_t closed = closed_handle();
    const uint32_t before = own_handles();
    kairos_handle_t handles[2];
    const auto send_two = [&](kairos_handle_t first, kairos_handle_t second) {
        handles[0] = first;
        handles[1] = second;
        return send_handles(channel.a, handles, 2);
    };
    EXPECT_STATUS(-EBADF, send_two(event, closed));
    EXPECT_STATUS(-EBADF, send_two(closed, event));
    EXPECT_STATUS(-EBADF, send_two(event, KAIROS_HANDLE_INVALID));
    EXPECT_STATUS(-EACCES, send_two(event, rooted));
    EXPECT_STATUS(-EACCES, send_two(rooted, event));
    EXPECT_STATUS(-EINVAL, send_two(event, event));
    EXPECT_STATUS(-EINVAL, send_two(event, channel.a));
    EXPECT_STATUS(-EINVAL, send_two(channel.b, event));
    const Owned own_copy = duplicate(channel.a);
    EXPECT_STATUS(-EINVAL, send_two(event, own_copy));
    const Owned port = make_port();
    EXPECT_STATUS(-EACCES, send_two(event, port));
    EXPECT_EQ(before + 2, own_handles());
    EXPECT_EQ(0u, queued_in(channel.b));
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
}

TEST("send: to a peer that is closed") {
    Channel channel;
    channel.b.close();
    kairos_handle_t handle = closed_handle();
    EXPECT_ONE_OF(ANY(-EBADF, -EPIPE), send_handles(channel.a, &handle, 1));
    EXPECT_STATUS(-EPIPE, send_text(channel.a, "gone"));
    Owned event = make_event();
    EXPECT_STATUS(-EPIPE, send_handle(channel.a, event));
    EXPECT(is_valid(event));
}

// ---- Memory
// --------------------------------------------------------------------------------------

TEST("send: bad memory for the message") {
    const Channel channel;
    EXPECT_INPUT_CHECKED(kairos_channel_msg,
                         kairos_channel_send(channel.a, in, KCHANNEL_OPT_NONBLOCK, kForever));
    drain_queue(channel.b);
}

TEST("send: bad memory for the bytes") {
    const Channel channel;
    EXPECT_INPUT_CHECKED(char, send(channel.a, message_of(in, 1)));
    EXPECT_INPUT_CHECKED(char, send(channel.a, message_of(in, 4096)));
    EXPECT_INPUT_CHECKED(char, send(channel.a, message_of(in, KCHANNEL_MAX_MSG_BYTES)));
    EXPECT_EQ(0u, queued_in(channel.b));
}

TEST("send: bad memory for the handles") {
    const Channel channel;
    EXPECT_INPUT_CHECKED(kairos_handle_t, send(channel.a, message_of("x", 1, in, 1)));
    EXPECT_INPUT_CHECKED(kairos_handle_t,
                         send(channel.a, message_of("x", 1, in, KCHANNEL_MAX_MSG_HANDLES)));
    EXPECT_EQ(0u, queued_in(channel.b));
}

TEST("send: bytes that end before a bad page") {
    const Channel channel;
    const Pages pages(17);
    memset(pages.begin(), 'm', 17 * KAIROS_PAGE_SIZE);
    for (const uint32_t size : {1u, 127u, 128u, 129u, 4095u, 4096u, 4097u, 65535u, 65536u}) {
        EXPECT_STATUS(0, send(channel.a, message_of(pages.end() - size, size)));
        EXPECT_STATUS(-EFAULT, send(channel.a, message_of(pages.end() - size + 1, size)));
    }
    EXPECT_EQ(9u, queued_in(channel.b));
}

TEST("send: a handle stays after bytes that cannot be read, and the other way round") {
    const BadPointers bad;
    const Channel channel;
    const Owned event = make_event();
    kairos_handle_t handle = event;
    EXPECT_STATUS(-EFAULT, send(channel.a, message_of(bad.unreachable(), 100, &handle, 1)));
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
    const Pages pages;
    auto* handles = pages.last<kairos_handle_t>();
    *handles = event;
    EXPECT_STATUS(-EFAULT, send(channel.a, message_of("x", 1, handles, 2)));
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
    EXPECT_EQ(0u, queued_in(channel.b));
}

TEST("send: a pointer with length 0 is not looked at") {
    const BadPointers bad;
    const Channel channel;
    for (const BadPointer& pointer : bad.all) {
        auto* handles = static_cast<kairos_handle_t*>(pointer.address);
        EXPECT_STATUS(0, send(channel.a, message_of(pointer.address, 0, handles, 0)));
    }
    EXPECT_EQ(static_cast<uint32_t>(BadPointers::kCount), queued_in(channel.b));
}

TEST("send: the message may lie in read-only memory, and is not changed") {
    const Channel channel;
    const Pages pages;
    auto* message = reinterpret_cast<kairos_channel_msg*>(pages.begin());
    char* text = pages.begin() + 100;
    strcpy(text, "constant");
    *message = message_of(text, 8);
    pages.protect(KPROT_READ);
    EXPECT_STATUS(0, kairos_channel_send(channel.a, message, 0, kForever));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT(inbox.has_text("constant"));
}

// ---- Limits and full queues
// ----------------------------------------------------------------------

TEST("send: as many handles as a message may have") {
    const Channel channel;
    kairos_handle_t handles[KCHANNEL_MAX_MSG_HANDLES];
    uint64_t ids[KCHANNEL_MAX_MSG_HANDLES];
    for (uint32_t i = 0; i < KCHANNEL_MAX_MSG_HANDLES; ++i) {
        REQUIRE_STATUS(0, kairos_event_create(&handles[i]));
        ids[i] = id_of(handles[i]);
    }
    const uint32_t before = own_handles();
    REQUIRE_STATUS(0, send(channel.a, message_of("8", 1, handles, KCHANNEL_MAX_MSG_HANDLES)));
    EXPECT_EQ(before - KCHANNEL_MAX_MSG_HANDLES, own_handles());
    for (const kairos_handle_t handle : handles) EXPECT(!is_valid(handle));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    for (uint32_t i = 0; i < KCHANNEL_MAX_MSG_HANDLES; ++i) {
        EXPECT_EQ(ids[i], id_of(inbox.received[i]));
    }
}

TEST("send: a queue holds 64 messages, whatever is in them") {
    const Channel channel;
    static char large[4000];
    for (uint32_t i = 0; i < KCHANNEL_MAX_QUEUE; ++i) {
        REQUIRE_STATUS(0, send(channel.a, message_of(large, i % 2 == 0 ? 0 : sizeof(large))));
    }
    EXPECT_STATUS(-EAGAIN, send_text(channel.a, "one too many", KCHANNEL_OPT_NONBLOCK));
    EXPECT_STATUS(-EAGAIN, send(channel.a, message_of(nullptr, 0)));
    EXPECT_STATUS(-ETIMEDOUT, send_text(channel.a, "one too many", 0, kPast));
    EXPECT_STATUS(-ETIMEDOUT, send_text(channel.a, "one too many", 0, kairos_clock_now() + 1));
    // The other direction has a queue of its own.
    EXPECT_STATUS(0, send_text(channel.b, "back", KCHANNEL_OPT_NONBLOCK));
    EXPECT_EQ(KCHANNEL_MAX_QUEUE, queued_in(channel.b));
    EXPECT_EQ(1u, queued_in(channel.a));
}

TEST("send: a full queue leaves the handles where they were") {
    const Channel channel;
    fill_queue(channel.a);
    Owned event = make_event();
    const kairos_handle_t value = event;
    EXPECT_STATUS(-EAGAIN, send_handle(channel.a, event));
    EXPECT_STATUS(0, kairos_object_signal(value, 0, 1u << 8));
    kairos_handle_t handle = value;
    const kairos_channel_msg message = message_of("x", 1, &handle, 1);
    EXPECT_STATUS(-ETIMEDOUT, kairos_channel_send(channel.a, &message, 0, kPast));
    EXPECT_STATUS(0, kairos_object_signal(value, 0, 1u << 8));
    EXPECT_EQ(value, handle);
    // A handle that is wrong is wrong with a full queue too.
    handle = closed_handle();
    EXPECT_ONE_OF(ANY(-EBADF, -EAGAIN), send(channel.a, message));
}

TEST("send: blocks until there is room, first come, first served") {
    const Channel channel;
    const uint32_t queued = fill_queue(channel.a);
    Blocked first([&] { return send_text(channel.a, "first"); });
    Blocked second([&] { return send_text(channel.a, "second"); });
    Inbox inbox;
    for (uint32_t i = 0; i < queued; ++i) {
        REQUIRE_STATUS(1, inbox.receive(channel.b));
        EXPECT_EQ(i, inbox.value<uint32_t>());
    }
    EXPECT_STATUS(0, first.result());
    EXPECT_STATUS(0, second.result());
    REQUIRE_STATUS(1, inbox.receive(channel.b));
    const bool in_order = inbox.has_text("first");
    REQUIRE_STATUS(1, inbox.receive(channel.b));
    EXPECT(in_order ? inbox.has_text("second") : inbox.has_text("first"));
}

TEST("send: a blocked sender and the end of its peer") {
    Channel channel;
    fill_queue(channel.a);
    Owned event = make_event();
    Blocked sender([&] {
        kairos_handle_t handle = event;
        const kairos_channel_msg message = message_of("x", 1, &handle, 1);
        return kairos_channel_send(channel.a, &message, 0, kForever);
    });
    EXPECT(!is_valid(event));  // on its way
    channel.b.close();
    EXPECT_STATUS(-EPIPE, sender.result());
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
}

TEST("send: a blocked sender and the end of its own endpoint") {
    Channel channel;
    fill_queue(channel.a);
    Owned event = make_event();
    const kairos_handle_t through = channel.a;
    Blocked sender([&] {
        kairos_handle_t handle = event;
        const kairos_channel_msg message = message_of("x", 1, &handle, 1);
        return kairos_channel_send(through, &message, 0, kForever);
    });
    channel.a.close();
    EXPECT_STATUS(-EPIPE, sender.result());
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
    // What had been sent is still delivered.
    EXPECT_EQ(KCHANNEL_MAX_QUEUE, drain_queue(channel.b));
}

TEST("send: interrupted") {
    const Channel channel;
    fill_queue(channel.a);
    Owned event = make_event();
    Blocked sender([&] {
        kairos_handle_t handle = event;
        const kairos_channel_msg message = message_of("x", 1, &handle, 1);
        return kairos_channel_send(channel.a, &message, 0, kForever);
    });
    sender.interrupt();
    EXPECT_STATUS(-EINTR, sender.result());
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
    EXPECT_EQ(KCHANNEL_MAX_QUEUE, drain_queue(channel.b));
}

TEST("send: closing the handle does not disturb a call that is blocked through it") {
    const Channel channel;
    fill_queue(channel.a);
    Owned copy = duplicate(channel.a);
    const kairos_handle_t value = copy;
    Blocked sender([&] { return send_text(value, "still sent"); });
    copy.close();
    Inbox inbox;
    for (uint32_t i = 0; i < KCHANNEL_MAX_QUEUE; ++i) REQUIRE_STATUS(1, inbox.receive(channel.b));
    REQUIRE_STATUS(1, inbox.receive(channel.b));
    EXPECT(inbox.has_text("still sent"));
    EXPECT_STATUS(0, sender.result());
}

TEST("send: with a txid that nobody waits for") {
    const Channel channel;
    Owned event = make_event();
    Channel inner;
    kairos_handle_t handles[] = {event, inner.a};
    EXPECT_STATUS(0, send(channel.a, message_of("late", 4, handles, 2, 12345)));
    static_cast<void>(event.release());
    static_cast<void>(inner.a.release());
    // Dropped, its handles closed.
    EXPECT_EQ(0u, queued_in(channel.b));
    EXPECT_EQ(POLLHUP, ready(inner.b, 0));
    // Even where there is no room for a message.
    fill_queue(channel.a);
    EXPECT_STATUS(0, send(channel.a, message_of("late", 4, nullptr, 0, UINT64_MAX)));
    EXPECT_EQ(KCHANNEL_MAX_QUEUE, queued_in(channel.b));
}
