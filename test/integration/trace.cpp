// The trace: what it says happened is what happened; reading, switching, rights.
#include <kairos/syscalls.h>

#include <algorithm>

#include <map>
#include <set>
#include <vector>

#include "counter_total.h"
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "workers.h"

namespace {

using Record = kairos_trace_record;
using Records = std::vector<Record>;

constexpr uint32_t kind_bit(uint32_t kind) { return 1u << kind; }
constexpr uint32_t kIpc = kind_bit(KAIROS_TRACE_KIND_ipc);
constexpr uint32_t kWake = kind_bit(KAIROS_TRACE_KIND_wake);
constexpr uint32_t kCap = kind_bit(KAIROS_TRACE_KIND_cap);
constexpr uint32_t kSched = kind_bit(KAIROS_TRACE_KIND_sched);
constexpr uint32_t kSyscall = kind_bit(KAIROS_TRACE_KIND_syscall);
constexpr uint32_t kObject = kind_bit(KAIROS_TRACE_KIND_object);
constexpr uint32_t kLife = kind_bit(KAIROS_TRACE_KIND_life);

kairos_handle_t root() { return kairos_bootstrap(KAIROS_BOOT_RESOURCE); }

std::vector<kairos_info_trace> trace_state() {
    kairos_info_trace state[64];
    const kairos_status_t bytes =
        kairos_object_info(root(), KAIROS_INFO_TRACE, state, sizeof(state));
    REQUIRE(bytes > 0);
    return {state, state + bytes / sizeof(state[0])};
}

// Records kinds for as long as it exists; takes what was recorded out of all rings.
class Recording {
  public:
    explicit Recording(uint32_t kinds) {
        const kairos_status_t before = kairos_trace_control(root(), kinds);
        REQUIRE(before >= 0);
        before_ = static_cast<uint32_t>(before);
        for (const auto& state : trace_state()) next_.push_back(state.next);
    }
    ~Recording() { EXPECT(kairos_trace_control(root(), before_) >= 0); }
    // Nothing more is recorded: for what would fill the rings before it is taken.
    void stop() { EXPECT(kairos_trace_control(root(), 0) >= 0); }
    // Everything since the beginning or the last take, by time; nothing may be lost.
    Records take() {
        Records all;
        for (uint32_t hart = 0; hart < next_.size(); ++hart) {
            Record page[64];
            while (true) {
                const kairos_status_t count =
                    kairos_trace_read(root(), hart, next_[hart], page, 64);
                REQUIRE(count >= 0);
                if (count == 0) break;
                REQUIRE_EQ(next_[hart], page[0].sequence);
                all.insert(all.end(), page, page + count);
                next_[hart] = page[count - 1].sequence + 1;
            }
        }
        std::stable_sort(all.begin(), all.end(),
                         [](const Record& a, const Record& b) { return a.time_ns < b.time_ns; });
        return all;
    }

  private:
    uint32_t before_ = 0;
    std::vector<uint64_t> next_;
};

uint64_t own_thread() {
    return info_of<kairos_info_basic>(kairos_self_thread(), KAIROS_INFO_BASIC).id;
}

// The records of one event, by one thread, about one object (first value).
Records select(const Records& all, uint32_t event, uint64_t object, uint64_t thread = 0) {
    Records found;
    for (const Record& each : all) {
        if (each.event == event && each.values[0] == object &&
            (thread == 0 || each.thread_id == thread)) {
            found.push_back(each);
        }
    }
    return found;
}

}  // namespace

// ---- The calls
// -----------------------------------------------------------------------------------

TEST("trace_read: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<Record*>(bad.kernel());
    const Owned unreadable = without(root(), KRIGHT_READ);
    Record record{};
    record.sequence = 77;
    EXPECT_STATUS(-EINVAL, kairos_trace_read(closed_handle(), hart_count(), 0, kernel, 1));
    EXPECT_STATUS(-EINVAL, kairos_trace_read(closed_handle(), ~0u, 0, kernel, 1));
    EXPECT_STATUS(-EINVAL, kairos_trace_read(closed_handle(), 0, 0, kernel, 0));
    EXPECT_STATUS(-EFAULT, kairos_trace_read(closed_handle(), 0, 0, kernel, 1));
    EXPECT_STATUS(-EFAULT, kairos_trace_read(closed_handle(), 0, 0, &record, ~0u));
    EXPECT_STATUS(-EBADF, kairos_trace_read(closed_handle(), 0, 0, &record, 1));
    EXPECT_STATUS(-ENOTSUP, kairos_trace_read(make_event(), 0, 0, &record, 1));
    EXPECT_STATUS(-EACCES, kairos_trace_read(unreadable, 0, 0, &record, 1));
    Owned mmio;
    REQUIRE_STATUS(0, kairos_resource_create(root(), KRESOURCE_MMIO, 0x10000000, 4096, mmio.out()));
    EXPECT_STATUS(-EACCES, kairos_trace_read(mmio, 0, 0, &record, 1));
    EXPECT_EQ(77u, record.sequence);
    EXPECT_STATUS(0, kairos_trace_read(root(), 0, UINT64_MAX, &record, 1));
}

TEST("trace_control: errors in their order, and what was on before") {
    const uint32_t before = trace_state()[0].kinds;
    EXPECT_STATUS(-EINVAL, kairos_trace_control(closed_handle(), 1u << KAIROS_TRACE_KIND_COUNT));
    EXPECT_STATUS(-EINVAL, kairos_trace_control(root(), ~0u));
    EXPECT_STATUS(-EBADF, kairos_trace_control(closed_handle(), 0));
    EXPECT_STATUS(-ENOTSUP, kairos_trace_control(make_event(), 0));
    const Owned unmanaged = without(root(), KRIGHT_MANAGE);
    EXPECT_STATUS(-EACCES, kairos_trace_control(unmanaged, 0));
    EXPECT_EQ(before, trace_state()[0].kinds);
    EXPECT_STATUS(before, kairos_trace_control(root(), kIpc));
    EXPECT_EQ(kIpc, trace_state()[0].kinds);
    EXPECT_STATUS(kIpc, kairos_trace_control(root(), before));
}

TEST("a narrower SYSTEM resource is enough, with the right rights") {
    Owned system;
    REQUIRE_STATUS(0, kairos_resource_create(root(), KRESOURCE_SYSTEM, 0, 0, system.out()));
    const Owned reader = duplicate(system, KRIGHT_READ);
    Record record;
    EXPECT(kairos_trace_read(reader, 0, 0, &record, 1) >= 0);
    EXPECT_STATUS(-EACCES, kairos_trace_control(reader, 0));
    EXPECT(kairos_trace_control(system, trace_state()[0].kinds) >= 0);
}

TEST("events and kinds have names") {
    static kairos_info_trace_event events[KAIROS_TRACE_EVENT_COUNT];
    REQUIRE_STATUS(sizeof(events),
                   kairos_object_info(root(), KAIROS_INFO_TRACE_EVENTS, events, sizeof(events)));
    EXPECT(strcmp("send", events[KAIROS_TRACE_send].name) == 0);
    EXPECT(strcmp("ipc", events[KAIROS_TRACE_send].kind) == 0);
    EXPECT(strcmp("#peer", events[KAIROS_TRACE_send].values[1]) == 0);
    std::set<std::string> names;
    for (const auto& event : events) names.insert(event.name);
    EXPECT_EQ(static_cast<size_t>(KAIROS_TRACE_EVENT_COUNT), names.size());
    EXPECT_STATUS(-EMSGSIZE, kairos_object_info(root(), KAIROS_INFO_TRACE_EVENTS, events, 1));
}

TEST("counters have names, and count what was done") {
    static kairos_info_counter counters[128];
    const Channel channel;
    const uint64_t sends = counter_total("channel_sends");
    const uint64_t receives = counter_total("channel_receives");
    const uint64_t ends = counter_total("channel_ends");
    for (int i = 0; i < 5; ++i) REQUIRE_STATUS(0, send_text(channel.a, "x"));
    for (int i = 0; i < 3; ++i) REQUIRE_STATUS(1, Inbox().poll(channel.b));
    EXPECT_EQ(sends + 5, counter_total("channel_sends"));
    EXPECT_EQ(receives + 3, counter_total("channel_receives"));
    EXPECT_EQ(ends, counter_total("channel_ends"));
    EXPECT_STATUS(-EMSGSIZE,
                  kairos_object_info(root(), KAIROS_INFO_COUNTERS, counters, sizeof(*counters)));
}

// ---- What is recorded
// ----------------------------------------------------------------------------

TEST("a send and a receive are recorded with sizes, states and the queue") {
    const Channel channel;
    const uint64_t a = id_of(channel.a);
    const uint64_t b = id_of(channel.b);
    Recording recording(kIpc);
    REQUIRE_STATUS(0, send_text(channel.a, "12345"));
    REQUIRE_STATUS(0, send_text(channel.a, "x"));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.receive(channel.b));
    const Records all = recording.take();
    const Records sent = select(all, KAIROS_TRACE_send, a, own_thread());
    REQUIRE_EQ(2u, sent.size());
    for (uint32_t i = 0; i < 2; ++i) {
        EXPECT_EQ(b, sent[i].values[1]);
        EXPECT_EQ(0u, sent[i].values[2]);
        EXPECT_EQ(i == 0 ? 5u : 1u, KAIROS_TRACE_BYTES(sent[i].values[3]));
        EXPECT_EQ(i + 1, KAIROS_TRACE_QUEUED(sent[i].values[3]));
        EXPECT_EQ(KAIROS_ENDPOINT_OPEN, KAIROS_TRACE_STATE(sent[i].values[3]));
        EXPECT_EQ(KAIROS_ENDPOINT_OPEN, KAIROS_TRACE_PEER_STATE(sent[i].values[3]));
        EXPECT_EQ(KAIROS_TRACE_VERSION, sent[i].version);
        EXPECT_EQ(KAIROS_TRACE_KIND_ipc, sent[i].kind);
    }
    const Records received = select(all, KAIROS_TRACE_receive, b, own_thread());
    REQUIRE_EQ(1u, received.size());
    EXPECT_EQ(5u, KAIROS_TRACE_BYTES(received[0].values[3]));
    EXPECT_EQ(1u, KAIROS_TRACE_QUEUED(received[0].values[3]));
    EXPECT(received[0].time_ns >= sent[1].time_ns);
}

TEST("a call is recorded on both sides, with its transaction") {
    const Channel channel;
    const uint64_t client = id_of(channel.a);
    const uint64_t server = id_of(channel.b);
    Worker serve([&] {
        Inbox inbox;
        REQUIRE_STATUS(1, inbox.receive(channel.b));
        kairos_channel_msg reply = message_of("reply", 5);
        reply.txid = inbox.header.txid;
        REQUIRE_STATUS(0, kairos_channel_send(channel.b, &reply, 0, kForever));
    });
    serve.wait_until_blocked();
    Recording recording(kIpc | kWake);
    const kairos_channel_msg request = message_of("hello", 5);
    Inbox answer;
    REQUIRE_STATUS(1, answer.call(channel.a, request));
    serve.join();
    const Records all = recording.take();
    const Records calls = select(all, KAIROS_TRACE_call, client, own_thread());
    const Records ends = select(all, KAIROS_TRACE_call_end, client, own_thread());
    const Records replies = select(all, KAIROS_TRACE_reply, server);
    REQUIRE_EQ(1u, calls.size());
    REQUIRE_EQ(1u, ends.size());
    REQUIRE_EQ(1u, replies.size());
    EXPECT(calls[0].values[2] != 0);
    EXPECT_EQ(calls[0].values[2], replies[0].values[2]);
    EXPECT_EQ(calls[0].values[2], ends[0].values[2]);
    EXPECT_EQ(0u, ends[0].values[3]);
    EXPECT(replies[0].thread_id != own_thread());
    // The caller slept on its endpoint, and was woken with data.
    const Records sleeps = select(all, KAIROS_TRACE_block, client, own_thread());
    const Records wakes = select(all, KAIROS_TRACE_wake, client, own_thread());
    REQUIRE_EQ(1u, sleeps.size());
    REQUIRE_EQ(1u, wakes.size());
    EXPECT_EQ(2u, wakes[0].values[1]);
}

TEST("a sleep's end is recorded with its reason") {
    const Channel channel;
    const uint64_t id = id_of(channel.b);
    Recording recording(kWake);
    Inbox inbox;
    const kairos_time_t soon = kairos_clock_now() + 1'000'000;
    EXPECT_STATUS(-ETIMEDOUT, inbox.receive(channel.b, 0, soon));
    const Records wakes = select(recording.take(), KAIROS_TRACE_wake, id, own_thread());
    REQUIRE_EQ(1u, wakes.size());
    EXPECT_EQ(6u, wakes[0].values[1]);
}

TEST("handles: made, duplicated, moved, closed, revoked") {
    Channel channel;
    Recording recording(kCap);
    Owned event = make_event();
    const uint64_t id = id_of(event);
    const kairos_info_lineage root_cap = lineage_of(event);
    Owned copy = duplicate(event, KRIGHT_READ | KRIGHT_TRANSFER);
    const kairos_info_lineage copy_cap = lineage_of(copy);
    REQUIRE_STATUS(0, send_handle(channel.a, copy));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.receive(channel.b));
    REQUIRE_STATUS(0, kairos_handle_revoke(event));
    event.close();
    const Records all = recording.take();
    const Records created = select(all, KAIROS_TRACE_cap_create, id);
    REQUIRE_EQ(1u, created.size());
    EXPECT_EQ(root_cap.cap_id, created[0].values[1]);
    const Records copied = select(all, KAIROS_TRACE_cap_duplicate, id);
    REQUIRE_EQ(1u, copied.size());
    EXPECT_EQ(copy_cap.cap_id, copied[0].values[1]);
    EXPECT_EQ(KRIGHT_READ | KRIGHT_TRANSFER, copied[0].values[2]);
    EXPECT_EQ(root_cap.cap_id, copied[0].values[3]);
    EXPECT_EQ(1u, select(all, KAIROS_TRACE_cap_take, id).size());
    EXPECT_EQ(3u, select(all, KAIROS_TRACE_cap_install, id).size());
    EXPECT_EQ(1u, select(all, KAIROS_TRACE_cap_revoke, id).size());
    EXPECT_EQ(1u, select(all, KAIROS_TRACE_cap_close, id).size());
}

TEST("system calls: entered and left, with their result") {
    Recording recording(kSyscall);
    EXPECT_STATUS(0, kairos_nop());
    EXPECT_STATUS(-EBADF, kairos_handle_close(0x12345, 0));
    recording.stop();
    const Records all = recording.take();
    EXPECT_EQ(1u, select(all, KAIROS_TRACE_enter, KAIROS_SYS_nop, own_thread()).size());
    EXPECT_EQ(1u, select(all, KAIROS_TRACE_leave, KAIROS_SYS_nop, own_thread()).size());
    const Records entered = select(all, KAIROS_TRACE_enter, KAIROS_SYS_handle_close, own_thread());
    const Records left = select(all, KAIROS_TRACE_leave, KAIROS_SYS_handle_close, own_thread());
    REQUIRE_EQ(1u, entered.size());
    REQUIRE_EQ(1u, left.size());
    EXPECT_EQ(0x12345u, entered[0].values[1]);
    EXPECT_EQ(-EBADF, static_cast<int64_t>(left[0].values[1]));
}

TEST("threads: started, switched to, ended") {
    Recording recording(kObject | kLife | kSched);
    uint64_t id = 0;
    {
        Worker worker([] { kairos_yield(); });
        id = id_of(worker.thread());
    }
    const Records all = recording.take();
    EXPECT_EQ(1u, select(all, KAIROS_TRACE_object_create, id).size());
    EXPECT_EQ(1u, select(all, KAIROS_TRACE_thread_start, id).size());
    EXPECT_EQ(1u, select(all, KAIROS_TRACE_thread_end, id).size());
    uint32_t switches = 0;
    for (const Record& each : all) {
        switches += each.event == KAIROS_TRACE_switch_to && each.values[1] == id;
    }
    EXPECT(switches >= 1);
}

// ---- Reading
// -------------------------------------------------------------------------------------

TEST("a kind that is off is not recorded") {
    const Channel channel;
    const uint64_t id = id_of(channel.a);
    Recording recording(kWake);
    for (int i = 0; i < 5; ++i) REQUIRE_STATUS(0, send_text(channel.a, "x"));
    for (const Record& each : recording.take()) {
        EXPECT(each.kind == KAIROS_TRACE_KIND_wake);
        EXPECT(each.event != KAIROS_TRACE_send || each.values[0] != id);
    }
}

TEST("a reader that is too slow learns how much it has missed") {
    pin(0);
    Recording recording(kSyscall);
    const uint64_t before = trace_state()[0].next;
    for (uint32_t i = 0; i < 2 * KAIROS_TRACE_RECORDS; ++i) kairos_nop();
    recording.stop();
    const kairos_info_trace state = trace_state()[0];
    EXPECT(state.next >= before + 4 * KAIROS_TRACE_RECORDS);
    EXPECT_EQ(state.next - KAIROS_TRACE_RECORDS, state.oldest);
    Record record;
    REQUIRE_STATUS(1, kairos_trace_read(root(), 0, before, &record, 1));
    EXPECT(record.sequence >= state.oldest);
    EXPECT(record.sequence > before);
    EXPECT_EQ(KAIROS_SYS_nop, record.values[0]);
    unpin();
}

TEST("records are numbered without gaps, and times never fall") {
    const Channel channel;
    Recording recording(KAIROS_TRACE_ALL);
    for (int i = 0; i < 20; ++i) {
        REQUIRE_STATUS(0, send_text(channel.a, "x"));
        REQUIRE_STATUS(1, Inbox().poll(channel.b));
    }
    recording.stop();
    for (const kairos_info_trace& state : trace_state()) {
        static Record page[KAIROS_TRACE_RECORDS];
        const kairos_status_t count =
            kairos_trace_read(root(), state.hart, 0, page, KAIROS_TRACE_RECORDS);
        REQUIRE(count >= 0);
        for (int64_t i = 1; i < count; ++i) {
            EXPECT_EQ(page[i - 1].sequence + 1, page[i].sequence);
            EXPECT(page[i - 1].time_ns <= page[i].time_ns);
            EXPECT_EQ(state.hart, page[i].hart);
        }
    }
}

TEST("reading while all harts write: whole records, in order") {
    std::atomic<bool> stop{false};
    const auto write = [&] {
        const Channel channel;
        while (!stop.load()) {
            REQUIRE_STATUS(0, send_text(channel.a, "xyz"));
            REQUIRE_STATUS(1, Inbox().poll(channel.b));
        }
    };
    Recording recording(kIpc);
    Worker one(write);
    Worker two(write);
    for (int round = 0; round < 300; ++round) {
        for (const kairos_info_trace& state : trace_state()) {
            Record page[32];
            const uint64_t from = state.next < 16 ? 0 : state.next - 16;
            const kairos_status_t count = kairos_trace_read(root(), state.hart, from, page, 32);
            REQUIRE(count >= 0);
            for (int64_t i = 0; i < count; ++i) {
                REQUIRE(page[i].version == KAIROS_TRACE_VERSION);
                REQUIRE_EQ(state.hart, page[i].hart);
                REQUIRE(page[i].sequence >= from);
                REQUIRE(i == 0 || page[i].sequence > page[i - 1].sequence);
                if (page[i].event != KAIROS_TRACE_send || page[i].kind != KAIROS_TRACE_KIND_ipc) {
                    continue;
                }
                // A send of ours has three bytes and as its peer the other end of its channel.
                const uint64_t ends = page[i].values[0] ^ page[i].values[1];
                if (KAIROS_TRACE_BYTES(page[i].values[3]) == 3) EXPECT(ends != 0);
            }
        }
        kairos_yield();
    }
    stop.store(true);
}

// ---- Replaying
// -----------------------------------------------------------------------------------

namespace {

struct EndState {
    uint32_t state = KAIROS_ENDPOINT_OPEN;
    int64_t queued = 0;
};

// What the records say has become of the endpoints, from their creation on.
std::map<uint64_t, EndState> replay(const Records& records) {
    std::map<uint64_t, EndState> ends;
    for (const Record& each : records) {
        switch (each.event) {
            case KAIROS_TRACE_channel_create:
                ends[each.values[0]];
                ends[each.values[1]];
                break;
            case KAIROS_TRACE_send:
                ++ends[each.values[1]].queued;
                break;
            case KAIROS_TRACE_receive:
            case KAIROS_TRACE_drop:
                --ends[each.values[0]].queued;
                break;
            case KAIROS_TRACE_endpoint_closing:
                ends[each.values[0]].state =
                    std::max<uint32_t>(ends[each.values[0]].state, KAIROS_ENDPOINT_CLOSING);
                break;
            case KAIROS_TRACE_endpoint_closed:
                ends[each.values[0]].state = KAIROS_ENDPOINT_CLOSED;
                break;
            default:
                break;
        }
    }
    return ends;
}

}  // namespace

TEST("replayed, the trace gives the states that the kernel reports") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Recording recording(kIpc | kObject);
        Channel channels[4];
        const auto play = [&](uint64_t stream) {
            Random random(seed * 8 + stream);
            for (int i = 0; i < 40; ++i) {
                Channel& channel = channels[random.below(4)];
                const bool there = random.below(2) != 0;
                const Owned& end = there ? channel.a : channel.b;
                if (random.below(5) < 3) {
                    const kairos_status_t sent = send_text(end, "message", KCHANNEL_OPT_NONBLOCK);
                    EXPECT_ONE_OF(ANY(0, -EAGAIN, -EPIPE, -EBADF), sent);
                } else {
                    Inbox inbox;
                    inbox.receive(end, KCHANNEL_OPT_NONBLOCK);
                }
            }
        };
        {
            Worker one([&] { play(1); });
            Worker two([&] { play(2); });
        }
        std::map<uint64_t, kairos_info_channel> reported;
        for (Channel& channel : channels) {
            for (const Owned* end : {&channel.a, &channel.b}) {
                reported[id_of(*end)] = info_of<kairos_info_channel>(*end, KAIROS_INFO_CHANNEL);
            }
        }
        const uint64_t closed = id_of(channels[0].a);
        channels[0].a.close();
        const auto replayed = replay(recording.take());
        for (const auto& [id, info] : reported) {
            const auto found = replayed.find(id);
            REQUIRE(found != replayed.end());
            if (id == closed) {
                EXPECT_EQ(0, found->second.queued);
                EXPECT(found->second.state == KAIROS_ENDPOINT_CLOSED);
            } else {
                EXPECT_EQ(info.queued, found->second.queued);
                EXPECT_EQ(info.state, found->second.state);
            }
        }
    }
}
