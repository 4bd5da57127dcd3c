// What an object remembers: events of its references, and the travels of its handles.
#include <vector>

#include "counter_total.h"
#include "harness.h"
#include "messages.h"
#include "roles.h"

namespace {

template <typename T>
std::vector<T> history_of(kairos_handle_t handle, uint32_t topic, uint32_t most) {
    std::vector<T> events(most);
    const kairos_status_t bytes =
        kairos_object_info(handle, topic, events.data(), events.size() * sizeof(T));
    EXPECT(bytes >= 0 && bytes % sizeof(T) == 0);
    events.resize(bytes < 0 ? 0 : static_cast<size_t>(bytes) / sizeof(T));
    return events;
}

auto references_of(kairos_handle_t handle) {
    return history_of<kairos_info_reference_event>(handle, KAIROS_INFO_REFCOUNT_HISTORY,
                                                   KAIROS_REFERENCE_EVENTS);
}

auto travels_of(kairos_handle_t handle) {
    return history_of<kairos_info_transfer_event>(handle, KAIROS_INFO_TRANSFER_HISTORY,
                                                  KAIROS_TRANSFER_EVENTS);
}

uint64_t own_id() { return id_of(kairos_self_process()); }

// What happened, as the events say it, in order.
void expect_travels(kairos_handle_t handle, std::initializer_list<uint32_t> expected) {
    const auto travels = travels_of(handle);
    REQUIRE_EQ(expected.size(), travels.size());
    uint64_t time = 0;
    size_t i = 0;
    for (const uint32_t what : expected) {
        EXPECT_EQ(what, travels[i].what);
        EXPECT_EQ(own_id(), travels[i].from_process);
        EXPECT(travels[i].time >= time);
        time = travels[i++].time;
    }
}

}  // namespace

TEST("history: creation, handles and their closing are events, with who and when") {
    const kairos_time_t begin = kairos_clock_now();
    const Owned event = make_event();
    Owned copy = duplicate(event);
    copy.close();
    const auto events = references_of(event);
    REQUIRE_EQ(4u, events.size());
    const uint32_t expected[] = {KAIROS_REFERENCE_INIT, KAIROS_REFERENCE_GET, KAIROS_REFERENCE_GET,
                                 KAIROS_REFERENCE_PUT};
    kairos_info_system system{};
    REQUIRE_STATUS(sizeof(system), kairos_object_info(kairos_bootstrap(KAIROS_BOOT_RESOURCE),
                                                      KAIROS_INFO_SYSTEM, &system, sizeof(system)));
    kairos_time_t last = begin;
    for (size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(expected[i], events[i].what);
        EXPECT_EQ(id_of(kairos_self_thread()), events[i].thread_id);
        EXPECT(events[i].hart < system.harts);
        EXPECT(events[i].time >= last && events[i].time <= kairos_clock_now());
        last = events[i].time;
    }
    EXPECT_EQ(1u, events[0].references);
    EXPECT_EQ(events[2].references - 1, events[3].references);
}

TEST("history: what a call counts while it runs is no event") {
    const Channel channel;
    const auto before = references_of(channel.a);
    for (int i = 0; i < 20; ++i) {
        REQUIRE_STATUS(0, send_text(channel.a, "x"));
        Inbox inbox;
        REQUIRE_STATUS(1, inbox.receive(channel.b));
        EXPECT_EQ(KAIROS_POLLOUT, ready(channel.a, KAIROS_POLLIN | KAIROS_POLLOUT));
    }
    EXPECT_EQ(before.size(), references_of(channel.a).size());
    EXPECT_EQ(0u, travels_of(channel.a).size());
}

TEST("history: the last sixteen events of references") {
    const Owned event = make_event();
    for (int i = 0; i < 30; ++i) duplicate(event).close();
    const auto events = references_of(event);
    REQUIRE_EQ(KAIROS_REFERENCE_EVENTS, events.size());
    for (size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(i % 2 == 0 ? KAIROS_REFERENCE_GET : KAIROS_REFERENCE_PUT, events[i].what);
    }
}

TEST("history: a handle through a queue is taken, queued, delivered, installed") {
    const Channel channel;
    Owned event = make_event();
    const Owned here = duplicate(event);
    REQUIRE_STATUS(0, kairos_cap_rights_limit(event, KRIGHT_TRANSFER | KRIGHT_SIGNAL));
    EXPECT_EQ(0u, travels_of(here).size());
    REQUIRE_STATUS(0, send_handle(channel.a, event));
    expect_travels(here, {KAIROS_TRANSFER_TAKE, KAIROS_TRANSFER_ENQUEUE});
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.receive(channel.b));
    expect_travels(here, {KAIROS_TRANSFER_TAKE, KAIROS_TRANSFER_ENQUEUE, KAIROS_TRANSFER_DELIVER,
                          KAIROS_TRANSFER_INSTALL});
    const auto travels = travels_of(here);
    EXPECT_EQ(0u, travels[0].to_process);
    EXPECT_EQ(own_id(), travels[3].to_process);
    for (const auto& event : travels) {
        EXPECT_EQ(KRIGHT_TRANSFER | KRIGHT_SIGNAL, event.rights);
    }
}

TEST("history: a send that fails restores") {
    Channel channel;
    Owned event = make_event();
    channel.b.close();
    EXPECT_STATUS(-EPIPE, send_handle(channel.a, event));
    expect_travels(event, {KAIROS_TRANSFER_TAKE, KAIROS_TRANSFER_RESTORE});
}

TEST("history: a queue that goes drops what is in it, and so does a revocation") {
    Channel channel;
    const Owned event = make_event();
    Owned moved = duplicate(event);
    REQUIRE_STATUS(0, send_handle(channel.a, moved));
    channel.b.close();
    expect_travels(event, {KAIROS_TRANSFER_TAKE, KAIROS_TRANSFER_ENQUEUE, KAIROS_TRANSFER_DROP});

    const Channel other;
    const Owned timer = make_timer();
    moved = duplicate(timer);
    REQUIRE_STATUS(0, send_handle(other.a, moved));
    REQUIRE_STATUS(0, kairos_handle_revoke(timer));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.receive(other.b));
    expect_travels(timer, {KAIROS_TRANSFER_TAKE, KAIROS_TRANSFER_ENQUEUE, KAIROS_TRANSFER_DROP});
}

ROLE("receive one") {
    Inbox inbox;
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_USER0);
    if (inbox.receive(channel) != 1) return 1;
    return send_text(channel, "got it") == 0 && inbox.receive(channel) == 0 ? 0 : 2;
}

TEST("history: names the process that received") {
    Channel channel;
    const Owned process = spawn_role("receive one", {{KAIROS_BOOT_USER0, channel.b.release()}});
    const Owned event = make_event();
    Owned moved = duplicate(event);
    REQUIRE_STATUS(0, send_handle(channel.a, moved));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.receive(channel.a));
    const auto travels = travels_of(event);
    REQUIRE(!travels.empty());
    EXPECT_EQ(KAIROS_TRANSFER_INSTALL, travels.back().what);
    EXPECT_EQ(own_id(), travels.back().from_process);
    EXPECT_EQ(id_of(process), travels.back().to_process);
    channel.a.close();
    EXPECT_EQ(0, exit_code_of(process));
}

TEST("history: the last thirty-two travels") {
    const Channel channel;
    Owned event = make_event();
    for (int i = 0; i < 12; ++i) {
        REQUIRE_STATUS(0, send_handle(channel.a, event));
        Inbox inbox;
        REQUIRE_STATUS(1, inbox.receive(channel.b));
        event = std::move(inbox.received[0]);
    }
    const auto travels = travels_of(event);
    REQUIRE_EQ(KAIROS_TRANSFER_EVENTS, travels.size());
    for (size_t i = 0; i < travels.size(); ++i) EXPECT_EQ(i % 4, travels[i].what);
}

TEST("history: a buffer too small for what there is") {
    const Owned event = make_event();
    kairos_info_reference_event events[KAIROS_REFERENCE_EVENTS];
    constexpr size_t kOne = sizeof(events[0]);
    EXPECT_STATUS(-EMSGSIZE,
                  kairos_object_info(event, KAIROS_INFO_REFCOUNT_HISTORY, events, 2 * kOne - 1));
    EXPECT_STATUS(2 * kOne,
                  kairos_object_info(event, KAIROS_INFO_REFCOUNT_HISTORY, events, 2 * kOne));
    EXPECT_STATUS(0, kairos_object_info(event, KAIROS_INFO_TRANSFER_HISTORY, nullptr, 0));
}

TEST("history: every type of object has one") {
    for (const kairos_handle_t handle :
         {kairos_self_process(), kairos_self_thread(), kairos_self_aspace(),
          kairos_bootstrap(KAIROS_BOOT_RESOURCE)}) {
        EXPECT(!references_of(handle).empty());
    }
}

// ---- Owners and hints
// ----------------------------------------------------------------------------

namespace {

uint32_t hint_of(kairos_handle_t channel) {
    kairos_info_channel info{};
    REQUIRE_STATUS(sizeof(info),
                   kairos_object_info(channel, KAIROS_INFO_CHANNEL, &info, sizeof(info)));
    return info.hints;
}

}  // namespace

TEST("hints: a channel publishes what a poll shows, through its life") {
    Channel channel;
    constexpr uint32_t kAll = KAIROS_POLLIN | KAIROS_POLLOUT | KAIROS_POLLHUP;
    const auto expect = [&](uint32_t a, uint32_t b) {
        EXPECT_EQ(a, hint_of(channel.a));
        EXPECT_EQ(a, ready(channel.a, kAll));
        EXPECT_EQ(b, hint_of(channel.b));
        EXPECT_EQ(b, ready(channel.b, kAll));
    };
    expect(KAIROS_POLLOUT, KAIROS_POLLOUT);
    REQUIRE_STATUS(0, send_text(channel.a, "x"));
    expect(KAIROS_POLLOUT, KAIROS_POLLIN | KAIROS_POLLOUT);
    fill_queue(channel.a);
    expect(0, KAIROS_POLLIN | KAIROS_POLLOUT);
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    expect(KAIROS_POLLOUT, KAIROS_POLLIN | KAIROS_POLLOUT);
    drain_queue(channel.b);
    expect(KAIROS_POLLOUT, KAIROS_POLLOUT);
    REQUIRE_STATUS(0, send_text(channel.a, "last"));
    channel.a.close();
    EXPECT_EQ(KAIROS_POLLIN | KAIROS_POLLHUP, hint_of(channel.b));
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(KAIROS_POLLHUP, hint_of(channel.b));
    EXPECT_EQ(0u, counter_total("poll_hint_mismatches"));
}

ROLE("end with handles") {
    for (int i = 0; i < 20; ++i) static_cast<void>(make_event().release());
    return 0;
}

TEST("owners: every handle of a process that ends is audited, and adds up") {
    const uint64_t before = counter_total("owner_audits");
    EXPECT_EQ(0, run_role("end with handles"));
    EXPECT(counter_total("owner_audits") >= before + 20);
    EXPECT_EQ(0u, counter_total("owner_mismatches"));
}
