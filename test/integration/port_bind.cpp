// Bindings: errors in their order, what each signal means, how events of a binding are merged, and
// when bindings end.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "tiny.h"
#include "workers.h"

namespace {

constexpr uint32_t kUndefined = 1u << 6;
constexpr uint32_t kChannelSignals =
    KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED | KPORT_BIND_WRITABLE;

void bind(kairos_handle_t port, kairos_handle_t object, uint64_t key, uint32_t signals) {
    REQUIRE_STATUS(0, kairos_port_bind(port, object, key, signals));
}

}  // namespace

// ---- Errors
// --------------------------------------------------------------------------------------

TEST("bind: errors in their order") {
    const Owned port = make_port();
    const Owned unmanaged = without(port, KRIGHT_MANAGE);
    const Owned event = make_event();
    const Owned unwaitable = without(event, KRIGHT_WAIT);
    const Channel channel;
    const kairos_handle_t closed = closed_handle();
    EXPECT_STATUS(-EINVAL, kairos_port_bind(closed, closed, 1, 0));
    EXPECT_STATUS(-EINVAL, kairos_port_bind(closed, closed, 1, kUndefined));
    EXPECT_STATUS(-EINVAL, kairos_port_bind(port, event, 1, kUndefined | kUser0));
    EXPECT_STATUS(-EINVAL, kairos_port_bind(closed, closed, 1, 1u << 16));
    EXPECT_STATUS(-EINVAL, kairos_port_bind(closed, closed, 1, ~0u));
    EXPECT_STATUS(-EBADF, kairos_port_bind(closed, event, 1, kUser0));
    EXPECT_STATUS(-ENOTSUP, kairos_port_bind(event, event, 1, kUser0));
    EXPECT_STATUS(-EACCES, kairos_port_bind(unmanaged, event, 1, kUser0));
    EXPECT_STATUS(-EBADF, kairos_port_bind(port, closed, 1, kUser0));
    EXPECT_STATUS(-ENOTSUP, kairos_port_bind(port, port, 1, kUser0));
    EXPECT_STATUS(-ENOTSUP, kairos_port_bind(port, make_port(), 1, KPORT_BIND_READABLE));
    EXPECT_STATUS(-EACCES, kairos_port_bind(port, unwaitable, 1, kUser0));
    EXPECT_STATUS(-EINVAL, kairos_port_bind(port, event, 1, KPORT_BIND_READABLE));
    EXPECT_EQ(0u, info_of<kairos_info_port>(port, KAIROS_INFO_PORT).bindings);
}

TEST("bind: signals that a type can never raise") {
    const Owned port = make_port();
    const Channel channel;
    const Owned timer = make_timer();
    for (const uint32_t signal : {KPORT_BIND_TERMINATED, KPORT_BIND_TIMER, KPORT_BIND_INTERRUPT}) {
        EXPECT_STATUS(-EINVAL, kairos_port_bind(port, channel.a, 1, signal));
        EXPECT_STATUS(-EINVAL, kairos_port_bind(port, channel.a, 1, signal | KPORT_BIND_READABLE));
    }
    for (const uint32_t signal : {KPORT_BIND_READABLE, KPORT_BIND_PEER_CLOSED, KPORT_BIND_WRITABLE,
                                  KPORT_BIND_TERMINATED, KPORT_BIND_INTERRUPT}) {
        EXPECT_STATUS(-EINVAL, kairos_port_bind(port, timer, 1, signal));
    }
    for (const kairos_handle_t handle : {kairos_self_process(), kairos_self_thread()}) {
        for (const uint32_t signal :
             {KPORT_BIND_READABLE, KPORT_BIND_PEER_CLOSED, KPORT_BIND_WRITABLE, KPORT_BIND_TIMER,
              KPORT_BIND_INTERRUPT}) {
            EXPECT_STATUS(-EINVAL, kairos_port_bind(port, handle, 1, signal));
        }
    }
    EXPECT_NO_PACKET(port);
}

TEST("unbind: errors in their order") {
    const Owned port = make_port();
    const Owned other = make_port();
    const Owned unmanaged = without(port, KRIGHT_MANAGE);
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    EXPECT_STATUS(-EBADF, kairos_port_unbind(closed, event));
    EXPECT_STATUS(-ENOTSUP, kairos_port_unbind(event, closed));
    EXPECT_STATUS(-EACCES, kairos_port_unbind(unmanaged, closed));
    EXPECT_STATUS(-EBADF, kairos_port_unbind(port, closed));
    EXPECT_STATUS(-ENOENT, kairos_port_unbind(port, event));
    bind(port, event, 1, kUser0);
    EXPECT_STATUS(-ENOENT, kairos_port_unbind(other, event));
    EXPECT_STATUS(-EACCES, kairos_port_unbind(unmanaged, event));
    EXPECT_STATUS(0, kairos_port_unbind(port, event));
    EXPECT_STATUS(-ENOENT, kairos_port_unbind(port, event));
}

// ---- Channels
// ------------------------------------------------------------------------------------

TEST("READABLE: arrivals are counted while the packet waits") {
    const Owned port = make_port();
    const Channel channel;
    bind(port, channel.b, 7, KPORT_BIND_READABLE);
    EXPECT_NO_PACKET(port);
    for (int i = 0; i < 3; ++i) REQUIRE_STATUS(0, send_text(channel.a, "x"));
    EXPECT_PACKET(port, 7, KPORT_BIND_READABLE, 3);
    EXPECT_NO_PACKET(port);
    REQUIRE_STATUS(0, send_text(channel.a, "x"));
    EXPECT_PACKET(port, 7, KPORT_BIND_READABLE, 1);
}

TEST("READABLE: reported again by a receive that leaves messages behind") {
    const Owned port = make_port();
    const Channel channel;
    bind(port, channel.b, 7, KPORT_BIND_READABLE);
    for (int i = 0; i < 3; ++i) REQUIRE_STATUS(0, send_text(channel.a, "x"));
    EXPECT_PACKET(port, 7, KPORT_BIND_READABLE, 3);
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_PACKET(port, 7, KPORT_BIND_READABLE, 1);
    EXPECT_NO_PACKET(port);
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_PACKET(port, 7, KPORT_BIND_READABLE, 1);
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_NO_PACKET(port);  // nothing is left behind
    EXPECT_STATUS(-EAGAIN, inbox.poll(channel.b));
    EXPECT_NO_PACKET(port);
}

TEST("READABLE: what waits when binding counts 1") {
    const Owned port = make_port();
    const Channel channel;
    for (int i = 0; i < 5; ++i) REQUIRE_STATUS(0, send_text(channel.a, "x"));
    bind(port, channel.b, 7, KPORT_BIND_READABLE);
    EXPECT_PACKET(port, 7, KPORT_BIND_READABLE, 1);
    EXPECT_NO_PACKET(port);
}

TEST("READABLE: a reply to a call is no arrival") {
    const Owned port = make_port();
    const Channel channel;
    bind(port, channel.a, 7, KPORT_BIND_READABLE);
    Inbox reply;
    Blocked caller([&] { return reply.call(channel.a, message_of("q")); });
    Inbox server;
    REQUIRE_STATUS(1, server.receive(channel.b));
    const kairos_channel_msg answer = message_of("a", 1, nullptr, 0, server.header.txid);
    REQUIRE_STATUS(0, kairos_channel_send(channel.b, &answer, 0, kForever));
    EXPECT_STATUS(1, caller.result());
    EXPECT_NO_PACKET(port);
}

TEST("PEER_CLOSED: once, whether before or after binding") {
    const Owned port = make_port();
    Channel channel;
    bind(port, channel.b, 7, KPORT_BIND_PEER_CLOSED);
    EXPECT_NO_PACKET(port);
    channel.a.close();
    EXPECT_PACKET(port, 7, KPORT_BIND_PEER_CLOSED, 1);
    EXPECT_NO_PACKET(port);
    bind(port, channel.b, 8, KPORT_BIND_PEER_CLOSED);
    EXPECT_PACKET(port, 8, KPORT_BIND_PEER_CLOSED, 1);
    EXPECT_NO_PACKET(port);
}

TEST("READABLE and PEER_CLOSED come together in one packet") {
    const Owned port = make_port();
    Channel channel;
    bind(port, channel.b, 7, KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED);
    REQUIRE_STATUS(0, send_text(channel.a, "x"));
    channel.a.close();
    EXPECT_PACKET(port, 7, KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED, 2);
    bind(port, channel.b, 8, KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED);
    EXPECT_PACKET(port, 8, KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED, 1);
}

TEST("only the signals asked for are reported") {
    const Owned port = make_port();
    Channel channel;
    bind(port, channel.b, 7, KPORT_BIND_PEER_CLOSED);
    REQUIRE_STATUS(0, send_text(channel.a, "x"));
    REQUIRE_STATUS(0, kairos_object_signal(channel.b, 0, kUser0));
    EXPECT_NO_PACKET(port);
    channel.a.close();
    EXPECT_PACKET(port, 7, KPORT_BIND_PEER_CLOSED, 1);
}

TEST("WRITABLE: holds when binding, and comes when a full queue has room again") {
    const Owned port = make_port();
    const Channel channel;
    bind(port, channel.a, 7, KPORT_BIND_WRITABLE);
    EXPECT_PACKET(port, 7, KPORT_BIND_WRITABLE, 1);
    fill_queue(channel.a);
    EXPECT_NO_PACKET(port);
    bind(port, channel.a, 8, KPORT_BIND_WRITABLE);
    EXPECT_NO_PACKET(port);
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_PACKET(port, 8, KPORT_BIND_WRITABLE, 1);
}

TEST("WRITABLE: does not hold once the peer is closed") {
    const Owned port = make_port();
    Channel channel;
    channel.b.close();
    bind(port, channel.a, 7, kChannelSignals);
    EXPECT_PACKET(port, 7, KPORT_BIND_PEER_CLOSED, 1);
}

// ---- User signals, timers, processes, threads
// ----------------------------------------------------

TEST("user signals: every setting is an event, clearing is none") {
    const Owned port = make_port();
    const Owned event = make_event();
    bind(port, event, 7, kUser0 | kUser3);
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    REQUIRE_STATUS(0, kairos_object_signal(event, kUser0, 0));
    EXPECT_PACKET(port, 7, kUser0, 2);
    REQUIRE_STATUS(0, kairos_object_signal(event, kUser0, 0));
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser7));  // not asked for
    EXPECT_NO_PACKET(port);
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0 | kUser3 | kUser7));
    EXPECT_PACKET(port, 7, kUser0 | kUser3, 1);
}

TEST("user signals: those set hold when binding") {
    const Owned port = make_port();
    const Owned event = make_event();
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0 | kUser3));
    REQUIRE_STATUS(0, kairos_object_signal(event, kUser0, kUser7));
    bind(port, event, 7, KPORT_BIND_USER);
    EXPECT_PACKET(port, 7, kUser3 | kUser7, 1);
}

TEST("user signals: on channels, timers, processes and threads as well") {
    const Owned port = make_port();
    const Channel channel;
    const Owned timer = make_timer();
    uint64_t key = 0;
    for (const kairos_handle_t handle : {kairos_handle_t{channel.a}, kairos_handle_t{timer},
                                         kairos_self_process(), kairos_self_thread()}) {
        bind(port, handle, ++key, kUser3);
        EXPECT_STATUS(0, kairos_object_signal(handle, 0, kUser3));
        EXPECT_PACKET(port, key, kUser3, 1);
        EXPECT_STATUS(0, kairos_object_signal(handle, kUser3, 0));
        EXPECT_STATUS(0, kairos_port_unbind(port, handle));
    }
}

TEST("TERMINATED: of a process and of a thread, once, after its end too") {
    const Owned port = make_port();
    TinyProcess tiny;
    tiny.set_code(tiny_exit, tiny_exit_end);
    bind(port, tiny.process, 1, KPORT_BIND_TERMINATED);
    bind(port, tiny.thread, 2, KPORT_BIND_TERMINATED);
    EXPECT_NO_PACKET(port);
    tiny.start({}, 5);
    kairos_port_packet first;
    kairos_port_packet second;
    REQUIRE_STATUS(1, next_packet(port, first));
    REQUIRE_STATUS(1, next_packet(port, second));
    EXPECT_EQ(3u, first.key + second.key);
    for (const kairos_port_packet& packet : {first, second}) {
        EXPECT_EQ(KPORT_BIND_TERMINATED, packet.observed);
        EXPECT_EQ(1u, packet.count);
    }
    EXPECT_NO_PACKET(port);
    bind(port, tiny.process, 3, KPORT_BIND_TERMINATED);
    EXPECT_PACKET(port, 3, KPORT_BIND_TERMINATED, 1);
}

TEST("TERMINATED: all handles of the process are closed before it") {
    const Owned port = make_port();
    Channel channel;
    TinyProcess tiny;
    tiny.set_code(tiny_exit, tiny_exit_end);
    bind(port, tiny.process, 1, KPORT_BIND_TERMINATED);
    tiny.start(std::move(channel.b));
    kairos_port_packet packet;
    REQUIRE_STATUS(1, next_packet(port, packet));
    EXPECT_EQ(POLLHUP, ready(channel.a, 0));
    EXPECT_EQ(0u, process_info(tiny.process).handles);
    EXPECT_EQ(KAIROS_PROCESS_ENDED, process_info(tiny.process).state);
}

// ---- Binding again, unbinding, ends
// --------------------------------------------------------------

TEST("binding again replaces key and signals, and withdraws the old packet") {
    const Owned port = make_port();
    const Owned event = make_event();
    bind(port, event, 1, kUser0);
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    REQUIRE_STATUS(0, kairos_object_signal(event, kUser0, 0));
    bind(port, event, 2, kUser3);
    EXPECT_NO_PACKET(port);
    EXPECT_EQ(1u, info_of<kairos_info_port>(port, KAIROS_INFO_PORT).bindings);
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0 | kUser3));
    EXPECT_PACKET(port, 2, kUser3, 1);
}

TEST("binding to another port takes it from the first") {
    const Owned first = make_port();
    const Owned second = make_port();
    const Owned event = make_event();
    bind(first, event, 1, kUser0);
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    bind(second, event, 2, kUser0);
    EXPECT_NO_PACKET(first);
    EXPECT_PACKET(second, 2, kUser0, 1);
    EXPECT_STATUS(-ENOENT, kairos_port_unbind(first, event));
    EXPECT_EQ(0u, ready(first, POLLIN));
}

TEST("a bind that fails leaves the old binding") {
    const Owned first = make_port();
    const Owned second = make_port();
    const Owned event = make_event();
    bind(first, event, 1, kUser0);
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    EXPECT_STATUS(-EINVAL, kairos_port_bind(second, event, 2, KPORT_BIND_READABLE));
    EXPECT_STATUS(-EINVAL, kairos_port_bind(second, event, 2, 0));
    EXPECT_PACKET(first, 1, kUser0, 1);
}

TEST("unbinding withdraws the packet") {
    const Owned port = make_port();
    const Owned event = make_event();
    bind(port, event, 1, kUser0);
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    EXPECT_EQ(POLLIN, ready(port, POLLIN));
    REQUIRE_STATUS(0, kairos_port_unbind(port, event));
    EXPECT_EQ(0u, ready(port, POLLIN));
    EXPECT_NO_PACKET(port);
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    EXPECT_NO_PACKET(port);
}

TEST("a bound object that goes takes its packet with it") {
    const Owned port = make_port();
    Owned event = make_event();
    Channel channel;
    bind(port, event, 1, kUser0);
    bind(port, channel.a, 2, kChannelSignals);
    bind(port, channel.b, 3, KPORT_BIND_PEER_CLOSED);
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    event.close();
    channel.a.close();
    // The other end has a packet of its own.
    EXPECT_PACKET(port, 3, KPORT_BIND_PEER_CLOSED, 1);
    EXPECT_NO_PACKET(port);
    EXPECT_EQ(1u, info_of<kairos_info_port>(port, KAIROS_INFO_PORT).bindings);
}

TEST("a binding is the object's, not the handle's") {
    const Owned port = make_port();
    Owned event = make_event();
    const Owned copy = duplicate(event);
    bind(port, event, 1, kUser0);
    event.close();
    REQUIRE_STATUS(0, kairos_object_signal(copy, 0, kUser0));
    EXPECT_PACKET(port, 1, kUser0, 1);
    REQUIRE_STATUS(0, kairos_port_unbind(port, copy));
}

TEST("a process that had lost its last handle can be bound through a new one") {
    const Owned port = make_port();
    TinyProcess tiny;
    tiny.set_code(tiny_spin, tiny_spin_end);
    tiny.start();
    const uint64_t id = id_of(tiny.process);
    tiny.process.close();
    REQUIRE_STATUS(0, kairos_system_open(kairos_bootstrap(KAIROS_BOOT_RESOURCE), id,
                                         KRIGHT_WAIT | KRIGHT_MANAGE, tiny.process.out()));
    bind(port, tiny.process, 3, KPORT_BIND_TERMINATED);
    EXPECT_NO_PACKET(port);
    REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 9));
    kairos_port_packet packet;
    REQUIRE_STATUS(1, next_packet(port, packet));
    EXPECT_EQ(3u, packet.key);
}

TEST("packets of several objects come in the order of their first events") {
    const Owned port = make_port();
    Owned events[5];
    for (uint64_t i = 0; i < 5; ++i) {
        events[i] = make_event();
        bind(port, events[i], i, kUser0);
    }
    for (const uint64_t i : {3, 1, 4, 1, 0, 3, 2}) {
        REQUIRE_STATUS(0, kairos_object_signal(events[i], 0, kUser0));
    }
    EXPECT_PACKET(port, 3, kUser0, 2);
    EXPECT_PACKET(port, 1, kUser0, 2);
    EXPECT_PACKET(port, 4, kUser0, 1);
    EXPECT_PACKET(port, 0, kUser0, 1);
    EXPECT_PACKET(port, 2, kUser0, 1);
}
