// A budget that runs out at every possible moment: each call is made with one byte more to spend
// than the last time, until it succeeds. Each failure has to be -EDQUOT and to leave everything as
// it was: the budget, the handles, the outputs, the queues.
#include "harness.h"
#include "messages.h"
#include "packets.h"
#include "roles.h"
#include "workers.h"

namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kStep = 8;  // every size that the kernel allocates is a multiple of it
constexpr kairos_handle_t kUntouched = 0x5a5a5a5a;

uint64_t bytes_left() {
    const auto budget = info_of<kairos_info_budget>(kairos_self_process(), KAIROS_INFO_BUDGET);
    return budget.limit - budget.used;
}

// Takes all of the own budget but so and so many bytes, by carving another out of it.
class Squeeze {
  public:
    // The handle's slot is taken once, so that squeezing does not change the table.
    Squeeze() {
        const uint64_t before = bytes_left();
        REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, 1, carved_.out()));
        own_cost_ = before - bytes_left() - 1;
        leave_all();
    }
    void leave(uint64_t bytes) {
        carved_.close();
        REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID,
                                               bytes_left() - own_cost_ - bytes, carved_.out()));
        REQUIRE_EQ(bytes, bytes_left());
    }
    void leave_all() {
        carved_.close();
        REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, 1, carved_.out()));
    }

  private:
    Owned carved_;
    uint64_t own_cost_ = 0;
};

// Makes `attempt`, which can cost up to `most` bytes, with ever more to spend. `unchanged()` is
// asked after each failure, `undo()` called after the success. Returns what it cost.
template <typename Attempt, typename Unchanged, typename Undo>
uint64_t sweep(const char* what, Squeeze& squeeze, uint64_t most, Attempt attempt,
               Unchanged unchanged, Undo undo) {
    for (uint64_t bytes = 0; bytes <= most; bytes += kStep) {
        squeeze.leave(bytes);
        const uint32_t handles = own_handles();
        const kairos_status_t status = attempt();
        if (status >= 0) {
            squeeze.leave_all();
            undo();
            return bytes;
        }
        const bool same = EXPECT_STATUS(-EDQUOT, status) && EXPECT_EQ(bytes, bytes_left()) &&
                          EXPECT_EQ(handles, own_handles()) && unchanged();
        if (!same) {
            harness::print("    %s with %llu bytes", what, static_cast<unsigned long long>(bytes));
            break;
        }
    }
    squeeze.leave_all();
    harness::fail(__FILE__, __LINE__, "%s does not succeed with %llu bytes", what,
                  static_cast<unsigned long long>(most));
    return 0;
}

// Fills the table to the end of its room, so that the next handle needs more memory.
class FullTable {
  public:
    FullTable() {
        while (count_ < KHANDLE_MAX_PER_PROCESS) {
            const uint64_t before = bytes_left();
            REQUIRE_STATUS(0, kairos_event_create(events_[count_].out()));
            ++count_;
            // The handle that made the table grow goes again, and its slot is filled by others.
            if (count_ > 1 && before - bytes_left() >= KAIROS_PAGE_SIZE) break;
        }
        const uint32_t free_slots = kSlotsPerPage - 1;
        for (uint32_t i = 0; i < free_slots; ++i) {
            REQUIRE_STATUS(0, kairos_event_create(events_[count_++].out()));
        }
    }
    // One handle less.
    void make_room() { events_[--count_].close(); }

  private:
    static constexpr uint32_t kSlotsPerPage = 128;
    uint32_t count_ = 0;
    Owned events_[3 * kSlotsPerPage];
};

// ---- The calls
// -----------------------------------------------------------------------------------

// A call that makes one or two handles.
template <typename Make>
void sweep_making(const char* what, Squeeze& squeeze, uint64_t most, Make make) {
    kairos_handle_t out[2] = {kUntouched, kUntouched};
    const auto undo = [&] {
        for (kairos_handle_t& one : out) {
            if (one != kUntouched) kairos_handle_close(one, 0);
            one = kUntouched;
        }
    };
    const uint64_t cost = sweep(
        what, squeeze, most, [&] { return make(out); },
        [&] { return EXPECT_EQ(kUntouched, out[0]) && EXPECT_EQ(kUntouched, out[1]); }, undo);
    EXPECT(cost > 0);
}

void sweep_all_that_make(Squeeze& squeeze) {
    const Channel channel;
    sweep_making("channel_create", squeeze, kMiB,
                 [](kairos_handle_t* out) { return kairos_channel_create(0, &out[0], &out[1]); });
    sweep_making("port_create", squeeze, kMiB / 4,
                 [](kairos_handle_t* out) { return kairos_port_create(0, out); });
    sweep_making("event_create", squeeze, kMiB / 4,
                 [](kairos_handle_t* out) { return kairos_event_create(out); });
    sweep_making("timer_create", squeeze, kMiB / 4,
                 [](kairos_handle_t* out) { return kairos_timer_create(out); });
    sweep_making("duplicate", squeeze, kMiB / 4, [&](kairos_handle_t* out) {
        return kairos_handle_duplicate(channel.a, KRIGHT_SAME, out);
    });
}

char large[3 * KAIROS_PAGE_SIZE];
static_assert(sizeof(large) > KCHANNEL_INLINE_MSG_BYTES);

void sweep_send(Squeeze& squeeze) {
    const Channel channel;
    kairos_handle_t event = make_event().release();
    const kairos_channel_msg message = message_of(large, sizeof(large), &event, 1);
    kairos_channel_msg room = message_of(large, sizeof(large), &event, 1);
    // An object's first journey gives it a history, which is not what is measured here.
    REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, kForever));
    REQUIRE_STATUS(1, kairos_channel_recv(channel.b, &room, 0, kForever));
    const uint64_t cost = sweep(
        "send", squeeze, kMiB,
        [&] { return kairos_channel_send(channel.a, &message, KCHANNEL_OPT_NONBLOCK, kForever); },
        [&] { return EXPECT(is_valid(event)) && EXPECT_EQ(0u, queued_in(channel.b)); },
        [&] { EXPECT_STATUS(1, kairos_channel_recv(channel.b, &room, 0, kForever)); });
    EXPECT(cost >= sizeof(large));
    EXPECT_STATUS(0, kairos_handle_close(event, 0));
}

// Handles that arrive where the table has to grow for them.
void sweep_recv(Squeeze& squeeze) {
    const Channel channel;
    kairos_handle_t sent[2] = {make_event().release(), make_event().release()};
    const kairos_channel_msg message = message_of("two", 3, sent, 2);
    REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, kForever));
    FullTable full;
    full.make_room();  // for one of them
    kairos_handle_t handles[2] = {kUntouched, kUntouched};
    char bytes[8] = "-------";
    kairos_channel_msg room = message_of(bytes, sizeof(bytes), handles, 2);
    const uint64_t cost = sweep(
        "recv", squeeze, kMiB,
        [&] { return kairos_channel_recv(channel.b, &room, KCHANNEL_OPT_NONBLOCK, kForever); },
        [&] {
            return EXPECT_EQ(1u, queued_in(channel.b)) && EXPECT_EQ(kUntouched, handles[0]) &&
                   EXPECT_EQ('-', bytes[0]) && EXPECT_EQ(sizeof(bytes), room.num_bytes);
        },
        [] {});
    EXPECT(cost >= KAIROS_PAGE_SIZE);
    for (const kairos_handle_t handle : handles) EXPECT_STATUS(0, kairos_handle_close(handle, 0));
}

// What must not need anything.
void with_nothing_left(Squeeze& squeeze) {
    const Channel channel;
    const Owned port = make_port();
    const Owned event = make_event();
    kairos_handle_t moved = make_event().release();
    char bytes[KCHANNEL_INLINE_MSG_BYTES];
    memset(bytes, 's', sizeof(bytes));
    Blocked receiver([&] {
        kairos_channel_msg room = message_of(large, sizeof(large));
        return kairos_channel_recv(channel.a, &room, KCHANNEL_OPT_RENDEZVOUS, kForever);
    });
    squeeze.leave(0);
    const kairos_channel_msg inlined = message_of(bytes, sizeof(bytes), &moved, 1);
    EXPECT_STATUS(0, kairos_channel_send(channel.a, &inlined, 0, kForever));
    kairos_channel_msg room = message_of(bytes, sizeof(bytes), &moved, 1);
    EXPECT_STATUS(1, kairos_channel_recv(channel.b, &room, 0, kForever));
    const kairos_channel_msg direct = message_of(large, sizeof(large));
    EXPECT_STATUS(0, kairos_channel_send(channel.b, &direct, KCHANNEL_OPT_RENDEZVOUS, kForever));
    EXPECT_STATUS(0, kairos_port_bind(port, event, 5, kUser0));
    EXPECT_STATUS(0, kairos_port_bind(port, channel.b, 6, KPORT_BIND_READABLE));
    for (int i = 0; i < 3; ++i) EXPECT_STATUS(0, kairos_object_signal(event, 0, kUser0));
    EXPECT_PACKET(port, 5, kUser0, 3);
    const kairos_port_packet packet{.key = 9, .observed = 8, .count = 7};
    for (uint32_t i = 0; i < KPORT_MAX_QUEUE; ++i) {
        EXPECT_STATUS(0, kairos_port_queue(port, &packet));
    }
    EXPECT_STATUS(-EAGAIN, kairos_port_queue(port, &packet));
    EXPECT_STATUS(0, kairos_port_unbind(port, channel.b));
    squeeze.leave_all();
    EXPECT_STATUS(1, receiver.result());
    EXPECT_STATUS(0, kairos_handle_close(moved, 0));
}

// Pages that are touched for the first time are charged too, and a fault of the stack is the end.
[[gnu::noinline]] void touch_memory() {
    volatile char stack[64 * 1024];
    for (size_t i = 0; i < sizeof(stack); i += 512) stack[i] = 1;
    memset(large, 'l', sizeof(large));
}

// Runs `what` in a process with a budget of its own.
int squeezed(void (*what)(Squeeze&)) {
    touch_memory();
    Squeeze squeeze;
    what(squeeze);
    return harness::running.failures == 0 ? 0 : 1;
}

void run_squeezed(const char* role) {
    Owned budget;
    REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, 8 * kMiB, budget.out()));
    EXPECT_EQ(0, exit_code_of(spawn_role(role, {}, budget)));
}

}  // namespace

ROLE("makes") { return squeezed(sweep_all_that_make); }
ROLE("sends") { return squeezed(sweep_send); }
ROLE("receives") { return squeezed(sweep_recv); }
ROLE("has nothing") { return squeezed(with_nothing_left); }

TEST("whatever makes handles") { run_squeezed("makes"); }
TEST("a payload that does not fit inline") { run_squeezed("sends"); }
TEST("handles that arrive") { run_squeezed("receives"); }
TEST("nothing left: small messages, calls by hand and packets go on") {
    run_squeezed("has nothing");
}
