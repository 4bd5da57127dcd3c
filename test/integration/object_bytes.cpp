// Objects as bytes (object_read, object_write), and what objects say about themselves
// (object_info).
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "workers.h"

// ---- Read
// ----------------------------------------------------------------------------------------

TEST("read: errors in their order") {
    const BadPointers bad;
    const Channel channel;
    const Owned blind = without(channel.b, KRIGHT_READ);
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    const uint32_t nonblock = KCHANNEL_OPT_NONBLOCK;
    REQUIRE_STATUS(0, send_text(channel.a, "message"));
    EXPECT_STATUS(-EINVAL, kairos_object_read(closed, bad.kernel(), 8, 1u << 2));
    EXPECT_STATUS(-EINVAL, kairos_object_read(closed, bad.kernel(), 8, ~0u));
    EXPECT_STATUS(-EFAULT, kairos_object_read(closed, bad.kernel(), 8, nonblock));
    EXPECT_STATUS(-EBADF, kairos_object_read(closed, bad.unreachable(), 8, nonblock));
    EXPECT_STATUS(-ENOTSUP, kairos_object_read(event, bad.unreachable(), 8, nonblock));
    EXPECT_STATUS(-EACCES, kairos_object_read(blind, bad.unreachable(), 8, nonblock));
    EXPECT_STATUS(-EFAULT, kairos_object_read(channel.b, bad.unreachable(), 8, nonblock));
    EXPECT_STATUS(-EMSGSIZE, kairos_object_read(channel.b, bad.unreachable(), 6, nonblock));
    EXPECT_STATUS(-EMSGSIZE, kairos_object_read(channel.b, bad.kernel(), 0, nonblock));
    EXPECT_EQ(1u, queued_in(channel.b));
    EXPECT_OUTPUT_CHECKED(uint64_t, kairos_object_read(channel.b, out, 8, nonblock));
    char bytes[8];
    EXPECT_STATUS(7, kairos_object_read(channel.b, bytes, 8, nonblock));
    EXPECT_STATUS(-EAGAIN, kairos_object_read(channel.b, bytes, 8, nonblock));
}

TEST("read: one message, its handles closed") {
    Channel channel;
    Channel inner;
    kairos_handle_t handle = inner.a.release();
    const kairos_channel_msg message = message_of("with a handle", 13, &handle, 1);
    REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, kForever));
    REQUIRE_STATUS(0, send_text(channel.a, "second"));
    const uint32_t before = own_handles();
    char bytes[32];
    memset(bytes, 0xee, sizeof(bytes));
    EXPECT_STATUS(13, kairos_object_read(channel.b, bytes, sizeof(bytes), 0));
    EXPECT_EQ(0, memcmp(bytes, "with a handle", 13));
    EXPECT_EQ('\xee', bytes[13]);
    EXPECT_EQ(POLLHUP, ready(inner.b, 0));
    EXPECT_EQ(before, own_handles());
    EXPECT_STATUS(6, kairos_object_read(channel.b, bytes, 6, 0));
    channel.a.close();
    EXPECT_STATUS(0, kairos_object_read(channel.b, bytes, sizeof(bytes), 0));
}

TEST("read: a port gives whole packets") {
    const Owned port = make_port();
    for (uint64_t i = 1; i <= 3; ++i) {
        const kairos_port_packet packet = {i, 2, 3};
        REQUIRE_STATUS(0, kairos_port_queue(port, &packet));
    }
    kairos_port_packet packets[3];
    EXPECT_STATUS(-EINVAL, kairos_object_read(port, packets, sizeof(packets[0]) - 1, 0));
    EXPECT_STATUS(-EINVAL, kairos_object_read(port, packets, 0, 0));
    EXPECT_STATUS(sizeof(packets[0]),
                  kairos_object_read(port, packets, 2 * sizeof(packets[0]) - 1, 0));
    EXPECT_EQ(1u, packets[0].key);
    EXPECT_STATUS(2 * sizeof(packets[0]), kairos_object_read(port, packets, sizeof(packets), 0));
    EXPECT_EQ(2u, packets[0].key);
    EXPECT_EQ(3u, packets[1].key);
    EXPECT_EQ(1u, packets[1].count);
    EXPECT_STATUS(-EAGAIN,
                  kairos_object_read(port, packets, sizeof(packets), KCHANNEL_OPT_NONBLOCK));
    const Owned blind = without(port, KRIGHT_WAIT);
    EXPECT_STATUS(-EACCES, kairos_object_read(blind, packets, sizeof(packets), 0));
}

TEST("read: blocks, and is interrupted") {
    const Channel channel;
    char bytes[8];
    Blocked reader([&] { return kairos_object_read(channel.b, bytes, sizeof(bytes), 0); });
    REQUIRE_STATUS(0, send_text(channel.a, "go"));
    EXPECT_STATUS(2, reader.result());
    Blocked again([&] { return kairos_object_read(channel.b, bytes, sizeof(bytes), 0); });
    again.interrupt();
    EXPECT_STATUS(-EINTR, again.result());
}

// ---- Write
// ---------------------------------------------------------------------------------------

TEST("write: errors in their order") {
    const BadPointers bad;
    const Channel channel;
    const Owned mute = without(channel.a, KRIGHT_WRITE);
    const Owned port = make_port();
    const kairos_handle_t closed = closed_handle();
    const uint32_t nonblock = KCHANNEL_OPT_NONBLOCK;
    const size_t too_long = KCHANNEL_MAX_MSG_BYTES + 1;
    EXPECT_STATUS(-EINVAL, kairos_object_write(closed, bad.kernel(), too_long, 1u << 2));
    EXPECT_STATUS(-EMSGSIZE, kairos_object_write(closed, bad.kernel(), too_long, nonblock));
    EXPECT_STATUS(-EMSGSIZE, kairos_object_write(closed, bad.kernel(), SIZE_MAX, nonblock));
    EXPECT_STATUS(-EFAULT, kairos_object_write(closed, bad.kernel(), 8, nonblock));
    EXPECT_STATUS(-EBADF, kairos_object_write(closed, bad.unreachable(), 8, nonblock));
    EXPECT_STATUS(-ENOTSUP, kairos_object_write(port, bad.unreachable(), 8, nonblock));
    EXPECT_STATUS(-EACCES, kairos_object_write(mute, bad.unreachable(), 8, nonblock));
    EXPECT_STATUS(-EFAULT, kairos_object_write(channel.a, bad.unreachable(), 8, nonblock));
    EXPECT_INPUT_CHECKED(uint64_t, kairos_object_write(channel.a, in, 8, nonblock));
    EXPECT_EQ(0u, queued_in(channel.b));
}

TEST("write: one message") {
    Channel channel;
    EXPECT_STATUS(5, kairos_object_write(channel.a, "hello", 5, 0));
    EXPECT_STATUS(0, kairos_object_write(channel.a, nullptr, 0, 0));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT(inbox.has_text("hello"));
    EXPECT_EQ(0u, inbox.header.txid);
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(0u, inbox.header.num_bytes);
    fill_queue(channel.a);
    EXPECT_STATUS(-EAGAIN, kairos_object_write(channel.a, "x", 1, KCHANNEL_OPT_NONBLOCK));
    Blocked writer([&] { return kairos_object_write(channel.a, "x", 1, 0); });
    channel.b.close();
    EXPECT_STATUS(-EPIPE, writer.result());
    EXPECT_STATUS(-EPIPE, kairos_object_write(channel.a, "x", 1, 0));
}

// ---- Info
// ----------------------------------------------------------------------------------------

TEST("info: errors in their order") {
    const BadPointers bad;
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    EXPECT_STATUS(-EINVAL, kairos_object_info(closed, 0, bad.kernel(), 64));
    EXPECT_STATUS(-EINVAL, kairos_object_info(closed, 999, bad.kernel(), 64));
    EXPECT_STATUS(-EINVAL, kairos_object_info(closed, ~0u, bad.kernel(), 64));
    EXPECT_STATUS(-EFAULT, kairos_object_info(closed, KAIROS_INFO_BASIC, bad.kernel(), 64));
    EXPECT_STATUS(-EBADF, kairos_object_info(closed, KAIROS_INFO_BASIC, bad.unreachable(), 64));
    EXPECT_STATUS(-ENOTSUP, kairos_object_info(event, KAIROS_INFO_PORT, bad.unreachable(), 64));
    EXPECT_OUTPUT_CHECKED(kairos_info_basic,
                          kairos_object_info(event, KAIROS_INFO_BASIC, out, sizeof(*out)));
}

TEST("info: a buffer that is too small, and one that is larger") {
    const Owned event = make_event();
    char room[sizeof(kairos_info_basic) + 8];
    memset(room, 0xee, sizeof(room));
    EXPECT_STATUS(-EMSGSIZE, kairos_object_info(event, KAIROS_INFO_BASIC, room, 0));
    EXPECT_STATUS(-EMSGSIZE, kairos_object_info(event, KAIROS_INFO_BASIC, room,
                                                sizeof(kairos_info_basic) - 1));
    EXPECT_EQ('\xee', room[0]);
    EXPECT_STATUS(sizeof(kairos_info_basic),
                  kairos_object_info(event, KAIROS_INFO_BASIC, room, sizeof(room)));
    EXPECT_EQ('\xee', room[sizeof(kairos_info_basic)]);
}

TEST("info: any one right is enough for BASIC") {
    const Channel channel;
    for (uint32_t right = 1; right <= KRIGHT_SIGNAL; right <<= 1) {
        kairos_handle_t copy;
        if (kairos_handle_duplicate(channel.a, right, &copy) != 0) continue;
        const Owned owned(copy);
        const auto info = info_of<kairos_info_basic>(owned, KAIROS_INFO_BASIC);
        EXPECT_EQ(right, info.rights);
        EXPECT_EQ(KOBJ_TYPE_CHANNEL, info.type);
        EXPECT_EQ(KAIROS_LIFECYCLE_LIVE, info.lifecycle);
        EXPECT(info.references >= 2);
        EXPECT_EQ(id_of(channel.a), info.id);
    }
}

TEST("info: every type has its number, and every object an id of its own") {
    const Channel channel;
    const Owned port = make_port();
    const Owned memory = make_memory();
    const Owned timer = make_timer();
    const Owned event = make_event();
    Owned budget;
    REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, 4096, budget.out()));
    const struct {
        kairos_handle_t handle;
        uint32_t type;
    } all[] = {
        {channel.a, KOBJ_TYPE_CHANNEL},
        {channel.b, KOBJ_TYPE_CHANNEL},
        {port, KOBJ_TYPE_PORT},
        {memory, KOBJ_TYPE_MEMORY},
        {kairos_self_process(), KOBJ_TYPE_PROCESS},
        {kairos_self_thread(), KOBJ_TYPE_THREAD},
        {kairos_self_aspace(), KOBJ_TYPE_ADDRESS_SPACE},
        {timer, KOBJ_TYPE_TIMER},
        {kairos_bootstrap(KAIROS_BOOT_RESOURCE), KOBJ_TYPE_RESOURCE},
        {event, KOBJ_TYPE_EVENT},
        {budget, KOBJ_TYPE_BUDGET},
    };
    for (const auto& one : all) {
        const auto info = info_of<kairos_info_basic>(one.handle, KAIROS_INFO_BASIC);
        EXPECT_EQ(one.type, info.type);
        for (const auto& other : all) {
            if (&other != &one) EXPECT(info.id != id_of(other.handle));
        }
    }
}

TEST("info: topics belong to types") {
    const Channel channel;
    const Owned port = make_port();
    const Owned memory = make_memory(3 * KAIROS_PAGE_SIZE);
    char room[256];
    const auto ask = [&](kairos_handle_t handle, uint32_t topic) {
        return kairos_object_info(handle, topic, room, sizeof(room));
    };
    EXPECT_STATUS(sizeof(kairos_info_channel), ask(channel.a, KAIROS_INFO_CHANNEL));
    EXPECT_STATUS(-ENOTSUP, ask(channel.a, KAIROS_INFO_PORT));
    EXPECT_STATUS(-ENOTSUP, ask(channel.a, KAIROS_INFO_PROCESS));
    EXPECT_STATUS(-ENOTSUP, ask(channel.a, KAIROS_INFO_BUDGET));
    EXPECT_STATUS(-ENOTSUP, ask(channel.a, KAIROS_INFO_SYSTEM));
    EXPECT_STATUS(sizeof(kairos_info_port), ask(port, KAIROS_INFO_PORT));
    EXPECT_STATUS(-ENOTSUP, ask(port, KAIROS_INFO_CHANNEL));
    EXPECT_STATUS(sizeof(kairos_info_memory), ask(memory, KAIROS_INFO_MEMORY));
    EXPECT_STATUS(sizeof(kairos_info_process), ask(kairos_self_process(), KAIROS_INFO_PROCESS));
    EXPECT_STATUS(sizeof(kairos_info_budget), ask(kairos_self_process(), KAIROS_INFO_BUDGET));
    EXPECT_STATUS(sizeof(kairos_info_thread), ask(kairos_self_thread(), KAIROS_INFO_THREAD));
    EXPECT_STATUS(sizeof(kairos_info_lineage), ask(port, KAIROS_INFO_LINEAGE));
}

TEST("info: of a process and a thread only with READ") {
    char room[256];
    const Owned process = duplicate(kairos_self_process(), KRIGHT_WAIT);
    const Owned thread = duplicate(kairos_self_thread(), KRIGHT_WAIT | KRIGHT_MANAGE);
    for (const uint32_t topic : {KAIROS_INFO_PROCESS, KAIROS_INFO_BUDGET}) {
        EXPECT_STATUS(-EACCES, kairos_object_info(process, topic, room, sizeof(room)));
    }
    EXPECT_STATUS(-EACCES, kairos_object_info(thread, KAIROS_INFO_THREAD, room, sizeof(room)));
    EXPECT_STATUS(sizeof(kairos_info_basic),
                  kairos_object_info(process, KAIROS_INFO_BASIC, room, sizeof(room)));
}

TEST("info: of the system only with READ on the RESOURCE") {
    char room[256];
    const kairos_handle_t root = kairos_bootstrap(KAIROS_BOOT_RESOURCE);
    const Owned blind = without(root, KRIGHT_READ);
    EXPECT_STATUS(-EACCES, kairos_object_info(blind, KAIROS_INFO_SYSTEM, room, sizeof(room)));
    EXPECT_STATUS(-EACCES, kairos_object_info(blind, KAIROS_INFO_PLATFORM, room, sizeof(room)));
    EXPECT_STATUS(sizeof(kairos_info_system),
                  kairos_object_info(root, KAIROS_INFO_SYSTEM, room, sizeof(room)));
}
