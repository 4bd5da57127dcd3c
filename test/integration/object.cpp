// What objects of any type answer: poll, wait, signal.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "tiny.h"
#include "workers.h"

namespace {

constexpr uint32_t kAllEvents = POLLIN | POLLOUT | POLLERR | POLLHUP;

kairos_status_t wait_for(kairos_handle_t handle, uint32_t events, uint32_t& revents,
                         kairos_time_t deadline = kForever) {
    revents = 0xdead;
    return kairos_object_wait(handle, events, deadline, &revents);
}

}  // namespace

// ---- Poll
// ----------------------------------------------------------------------------------------

TEST("poll: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<uint32_t*>(bad.kernel());
    auto* unreachable = static_cast<uint32_t*>(bad.unreachable());
    const Channel channel;
    const Owned unwaitable = without(channel.a, KRIGHT_WAIT);
    const Owned memory = make_memory();
    const kairos_handle_t closed = closed_handle();
    for (const uint32_t undefined : {2u, 32u, 64u, 1u << 31, ~0u}) {
        EXPECT_STATUS(-EINVAL, kairos_object_poll(closed, undefined, kernel));
        EXPECT_STATUS(-EINVAL, kairos_object_wait(closed, undefined, kPast, kernel));
    }
    EXPECT_STATUS(-EFAULT, kairos_object_poll(closed, kAllEvents, kernel));
    EXPECT_STATUS(-EFAULT, kairos_object_wait(closed, kAllEvents, kPast, kernel));
    EXPECT_STATUS(-EBADF, kairos_object_poll(closed, kAllEvents, unreachable));
    EXPECT_STATUS(-EBADF, kairos_object_wait(closed, kAllEvents, kPast, unreachable));
    EXPECT_STATUS(-ENOTSUP, kairos_object_poll(memory, POLLIN, unreachable));
    EXPECT_STATUS(-ENOTSUP, kairos_object_wait(memory, POLLIN, kPast, unreachable));
    EXPECT_STATUS(-EACCES, kairos_object_poll(unwaitable, POLLOUT, unreachable));
    EXPECT_STATUS(-EACCES, kairos_object_wait(unwaitable, POLLOUT, kPast, unreachable));
    EXPECT_OUTPUT_CHECKED(uint32_t, kairos_object_poll(channel.a, POLLOUT, out));
    EXPECT_OUTPUT_CHECKED(uint32_t, kairos_object_wait(channel.a, POLLOUT, kForever, out));
}

TEST("poll: a channel through its life") {
    Channel channel;
    EXPECT_EQ(POLLOUT, ready(channel.a, kAllEvents));
    EXPECT_EQ(0u, ready(channel.a, POLLIN));
    EXPECT_EQ(0u, ready(channel.a, 0));
    REQUIRE_STATUS(0, send_text(channel.a, "x"));
    EXPECT_EQ(POLLIN | POLLOUT, ready(channel.b, kAllEvents));
    EXPECT_EQ(POLLIN, ready(channel.b, POLLIN));
    EXPECT_EQ(POLLOUT, ready(channel.b, POLLOUT));
    fill_queue(channel.a);
    EXPECT_EQ(0u, ready(channel.a, kAllEvents));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(POLLOUT, ready(channel.a, kAllEvents));
    channel.a.close();
    EXPECT_EQ(POLLIN | POLLHUP, ready(channel.b, kAllEvents));
    EXPECT_EQ(POLLHUP, ready(channel.b, 0));  // whether asked for or not
    EXPECT_EQ(KCHANNEL_MAX_QUEUE - 1, drain_queue(channel.b));
    EXPECT_EQ(POLLHUP, ready(channel.b, kAllEvents));
}

TEST("poll: a port while a packet waits") {
    const Owned port = make_port();
    EXPECT_EQ(0u, ready(port, kAllEvents));
    const kairos_port_packet packet = {1, 2, 3};
    REQUIRE_STATUS(0, kairos_port_queue(port, &packet));
    REQUIRE_STATUS(0, kairos_port_queue(port, &packet));
    EXPECT_EQ(POLLIN, ready(port, kAllEvents));
    EXPECT_EQ(0u, ready(port, POLLOUT));
    EXPECT_PACKET(port, 1, 2, 1);
    EXPECT_EQ(POLLIN, ready(port, POLLIN));
    EXPECT_PACKET(port, 1, 2, 1);
    EXPECT_EQ(0u, ready(port, POLLIN));
}

TEST("poll: a process and a thread, before and after their end") {
    TinyProcess tiny;
    tiny.set_code(tiny_exit, tiny_exit_end);
    EXPECT_EQ(0u, ready(tiny.process, kAllEvents));
    EXPECT_EQ(0u, ready(tiny.thread, kAllEvents));
    tiny.start({}, 3);
    uint32_t revents;
    REQUIRE_STATUS(0, wait_for(tiny.process, POLLIN, revents));
    EXPECT_EQ(POLLIN | POLLHUP, revents);
    REQUIRE_STATUS(0, wait_for(tiny.thread, POLLIN, revents));
    EXPECT_EQ(POLLIN | POLLHUP, revents);
    EXPECT_EQ(POLLHUP, ready(tiny.process, POLLOUT));
    EXPECT_EQ(POLLIN | POLLHUP, ready(tiny.thread, kAllEvents));
}

TEST("poll: a timer that has expired") {
    const Owned timer = make_timer();
    EXPECT_EQ(0u, ready(timer, kAllEvents));
    REQUIRE_STATUS(0, kairos_timer_set(timer, kairos_clock_now(), 0));
    uint32_t revents;
    REQUIRE_STATUS(0, wait_for(timer, POLLIN, revents));
    EXPECT_EQ(POLLIN, revents);
    EXPECT_EQ(POLLIN, ready(timer, kAllEvents));
    REQUIRE_STATUS(0, kairos_timer_set(timer, KAIROS_TIME_INFINITE, 0));
    EXPECT_EQ(0u, ready(timer, kAllEvents));
}

// ---- Wait
// ----------------------------------------------------------------------------------------

TEST("wait: what holds is reported at once") {
    const Channel channel;
    uint32_t revents;
    EXPECT_STATUS(0, wait_for(channel.a, POLLIN | POLLOUT, revents));
    EXPECT_EQ(POLLOUT, revents);
    EXPECT_STATUS(0, wait_for(channel.a, POLLOUT, revents, kPast));
    EXPECT_EQ(POLLOUT, revents);
}

TEST("wait: out of time") {
    const Channel channel;
    uint32_t revents;
    EXPECT_STATUS(-ETIMEDOUT, wait_for(channel.a, POLLIN, revents, kPast));
    EXPECT_EQ(0xdeadu, revents);
    const kairos_time_t deadline = kairos_clock_now() + 1'000'000;
    EXPECT_STATUS(-ETIMEDOUT, wait_for(channel.a, POLLIN, revents, deadline));
    EXPECT(kairos_clock_now() >= deadline);
    EXPECT_STATUS(-ETIMEDOUT, wait_for(channel.a, 0, revents, kPast));
    EXPECT_EQ(0xdeadu, revents);
}

TEST("wait: for a message") {
    const Channel channel;
    uint32_t revents;
    Blocked waiter([&] { return wait_for(channel.b, POLLIN, revents); });
    REQUIRE_STATUS(0, send_text(channel.a, "x"));
    EXPECT_STATUS(0, waiter.result());
    EXPECT_EQ(POLLIN, revents);
    EXPECT_EQ(1u, queued_in(channel.b));
}

TEST("wait: for room") {
    const Channel channel;
    fill_queue(channel.a);
    uint32_t revents;
    Blocked waiter([&] { return wait_for(channel.a, POLLOUT, revents); });
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_STATUS(0, waiter.result());
    EXPECT_EQ(POLLOUT, revents);
}

TEST("wait: for the peer's end, without asking for it") {
    Channel channel;
    uint32_t revents;
    uint32_t other;
    Blocked one([&] { return wait_for(channel.b, 0, revents); });
    Blocked two([&] { return wait_for(channel.b, POLLIN, other); });
    REQUIRE_STATUS(0, send_text(channel.b, "the other way"));
    EXPECT(one.still_sleeps());
    channel.a.close();
    EXPECT_STATUS(0, one.result());
    EXPECT_STATUS(0, two.result());
    EXPECT_EQ(POLLHUP, revents);
    EXPECT_EQ(POLLHUP, other);
}

TEST("wait: all who wait are told") {
    const Channel channel;
    uint32_t seen[3];
    Blocked one([&] { return wait_for(channel.b, POLLIN, seen[0]); });
    Blocked two([&] { return wait_for(channel.b, POLLIN, seen[1]); });
    Blocked three([&] { return wait_for(channel.b, POLLIN, seen[2]); });
    REQUIRE_STATUS(0, send_text(channel.a, "for all"));
    EXPECT_STATUS(0, one.result());
    EXPECT_STATUS(0, two.result());
    EXPECT_STATUS(0, three.result());
    for (const uint32_t revents : seen) EXPECT_EQ(POLLIN, revents);
}

TEST("wait: for a packet, which stays") {
    const Owned port = make_port();
    uint32_t revents;
    Blocked waiter([&] { return wait_for(port, POLLIN, revents); });
    const kairos_port_packet packet = {1, 2, 3};
    REQUIRE_STATUS(0, kairos_port_queue(port, &packet));
    EXPECT_STATUS(0, waiter.result());
    EXPECT_EQ(POLLIN, revents);
    EXPECT_PACKET(port, 1, 2, 1);
}

TEST("wait: interrupted") {
    const Channel channel;
    uint32_t revents;
    Blocked waiter([&] { return wait_for(channel.b, POLLIN, revents); });
    waiter.interrupt();
    EXPECT_STATUS(-EINTR, waiter.result());
    EXPECT_EQ(0xdeadu, revents);
}

TEST("wait: canceled when the last handle of the object goes") {
    Channel channel;
    Owned event = make_event();
    const kairos_handle_t endpoint = channel.b;
    const kairos_handle_t bare = event;
    uint32_t revents[2];
    Blocked one([&] { return wait_for(endpoint, POLLIN, revents[0]); });
    Blocked two([&] { return wait_for(bare, POLLIN, revents[1]); });
    channel.b.close();
    EXPECT_STATUS(-ECANCELED, one.result());
    event.close();
    EXPECT_STATUS(-ECANCELED, two.result());
    EXPECT_EQ(0xdeadu, revents[0]);
}

TEST("wait: closing one of two handles does not disturb it") {
    Channel channel;
    const Owned copy = duplicate(channel.b);
    const kairos_handle_t through = channel.b;
    uint32_t revents;
    Blocked waiter([&] { return wait_for(through, POLLIN, revents); });
    channel.b.close();
    EXPECT(waiter.still_sleeps());
    REQUIRE_STATUS(0, send_text(channel.a, "x"));
    EXPECT_STATUS(0, waiter.result());
    EXPECT_EQ(POLLIN, revents);
}

// ---- Signal
// --------------------------------------------------------------------------------------

TEST("signal: errors in their order") {
    const Owned event = make_event();
    const Owned mute = without(event, KRIGHT_SIGNAL);
    const kairos_handle_t closed = closed_handle();
    for (const uint32_t undefined : {1u, 1u << 7, 1u << 16, 1u << 31, ~0u}) {
        EXPECT_STATUS(-EINVAL, kairos_object_signal(closed, undefined, 0));
        EXPECT_STATUS(-EINVAL, kairos_object_signal(closed, 0, undefined));
        EXPECT_STATUS(-EINVAL, kairos_object_signal(event, undefined | kUser0, kUser0));
    }
    EXPECT_STATUS(-EBADF, kairos_object_signal(closed, 0, kUser0));
    EXPECT_STATUS(-EACCES, kairos_object_signal(mute, 0, kUser0));
    EXPECT_STATUS(-EACCES, kairos_object_signal(mute, kUser0, 0));
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 0));
    EXPECT_STATUS(0, kairos_object_signal(event, KPORT_BIND_USER, KPORT_BIND_USER));
}

TEST("signal: a bit in both masks ends up set") {
    const Owned port = make_port();
    const Owned event = make_event();
    REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0 | kUser3));
    REQUIRE_STATUS(0, kairos_object_signal(event, kUser0 | kUser3, kUser0));
    REQUIRE_STATUS(0, kairos_port_bind(port, event, 1, KPORT_BIND_USER));
    EXPECT_PACKET(port, 1, kUser0, 1);
}

TEST("signal: the two ends of a channel have signals of their own") {
    const Owned port = make_port();
    const Channel channel;
    REQUIRE_STATUS(0, kairos_port_bind(port, channel.b, 1, KPORT_BIND_USER));
    REQUIRE_STATUS(0, kairos_object_signal(channel.a, 0, kUser0));
    EXPECT_NO_PACKET(port);
    REQUIRE_STATUS(0, kairos_object_signal(channel.b, 0, kUser7));
    EXPECT_PACKET(port, 1, kUser7, 1);
}
