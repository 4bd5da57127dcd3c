// Endpoints that only messages hold: rings of them are found and closed, and nothing else is.
//
// The harness counts objects and memory after each case: nothing may be left.
#include "harness.h"
#include "messages.h"
#include "race.h"
#include "roles.h"
#include "workers.h"

namespace {

// Pairs whose far ends are to lie in queues: what is sent into near[i] waits in far[i].
template <uint32_t kLength>
struct Ring {
    explicit Ring(uint32_t used = kLength) : length(used) {
        for (uint32_t i = 0; i < length; ++i) {
            REQUIRE_STATUS(0, kairos_channel_create(0, near[i].out(), far[i].out()));
        }
    }
    // far[i] goes into the queue of far[i + 1].
    void close_up() {
        for (uint32_t i = 0; i < length; ++i) {
            REQUIRE_STATUS(0, send_handle(near[(i + 1) % length], far[i]));
        }
    }
    uint32_t length;
    Owned near[kLength];
    Owned far[kLength];
};

bool hung_up(kairos_handle_t endpoint) { return (ready(endpoint, POLLIN) & POLLHUP) != 0; }

// Collecting is done when the call that caused it returns, or in steps right after it.
void expect_hang_up(kairos_handle_t endpoint) {
    uint32_t revents = 0;
    EXPECT_STATUS(0, kairos_object_wait(endpoint, 0, kForever, &revents));
    EXPECT_EQ(POLLHUP, revents & POLLHUP);
}

}  // namespace

// ---- Rings
// ---------------------------------------------------------------------------------------

TEST("collection: two channels that hold each other") {
    Channel one;
    Channel two;
    REQUIRE_STATUS(0, send_handle(two.a, one.b));
    EXPECT(!hung_up(one.a));
    REQUIRE_STATUS(0, send_handle(one.a, two.b));
    // Nobody can receive either of them any more, whoever has the near ends.
    expect_hang_up(one.a);
    expect_hang_up(two.a);
    EXPECT_STATUS(-EPIPE, send_text(one.a, "lost"));
}

TEST("collection: rings of two to eight channels") {
    for (uint32_t length = 2; length <= 8; ++length) {
        Ring<8> ring(length);
        ring.close_up();
        for (uint32_t i = 0; i < length; ++i) expect_hang_up(ring.near[i]);
    }
}

TEST("collection: a ring, the near ends of which are gone before") {
    for (uint32_t length = 2; length <= 8; ++length) {
        Ring<8> ring(length);
        const Owned last = duplicate(ring.far[0]);
        ring.close_up();
        for (Owned& near : ring.near) near.close();
        EXPECT(hung_up(last));
        EXPECT_EQ(1u, queued_in(last));
    }
}

TEST("collection: a pair, each end of which waits in the other's far side") {
    Channel one;
    Channel two;
    REQUIRE_STATUS(0, send_handle(two.a, one.a));
    REQUIRE_STATUS(0, send_handle(two.b, one.b));
}

TEST("collection: a ring goes with the last handle that reaches it") {
    Ring<3> ring;
    Owned reach = duplicate(ring.far[1]);
    Owned another = duplicate(reach);
    ring.close_up();
    EXPECT(!hung_up(ring.near[0]));
    reach.close();
    EXPECT(!hung_up(ring.near[0]));
    another.close();
    for (const Owned& near : ring.near) expect_hang_up(near);
}

TEST("collection: a ring goes with the last handle sent to where nobody can reach it") {
    Ring<2> ring;
    Channel outside;
    Owned reach = duplicate(ring.far[0]);
    ring.close_up();
    REQUIRE_STATUS(0, send_handle(outside.a, reach));
    EXPECT(!hung_up(ring.near[0]));
    outside.b.close();
    for (const Owned& near : ring.near) expect_hang_up(near);
}

TEST("collection: a ring that something else still reaches is not taken apart") {
    Ring<2> ring;
    const Owned reach = duplicate(ring.far[1]);
    ring.close_up();
    for (Owned& near : ring.near) near.close();
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(reach));  // far[0]
    const Owned taken = std::move(inbox.received[0]);
    REQUIRE_STATUS(1, inbox.poll(taken));  // far[1]
    EXPECT_EQ(id_of(reach), id_of(inbox.received[0]));
}

TEST("collection: a ring that is reached through a chain in flight") {
    Ring<2> ring;
    Channel outer;
    Channel inner;
    REQUIRE_STATUS(0, [&] {
        Owned reach = duplicate(ring.far[0]);
        return send_handle(inner.a, reach);
    }());
    REQUIRE_STATUS(0, send_handle(outer.a, inner.b));
    ring.close_up();
    EXPECT(!hung_up(ring.near[0]));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(outer.b));
    EXPECT(!hung_up(ring.near[1]));
    inbox.received[0].close();
    for (const Owned& near : ring.near) expect_hang_up(near);
}

TEST("collection: two rings, one of which holds the other") {
    Ring<3> one;
    Ring<3> two;
    Owned bridge = duplicate(two.far[1]);
    REQUIRE_STATUS(0, send_handle(one.near[1], bridge));
    two.close_up();
    EXPECT(!hung_up(two.near[0]));
    one.close_up();
    for (const Owned& near : one.near) expect_hang_up(near);
    for (const Owned& near : two.near) expect_hang_up(near);
}

TEST("collection: a ring of several handles to each, and what else lies in its queues") {
    Ring<4> ring;
    Channel passenger;
    for (int round = 0; round < 3; ++round) {
        for (uint32_t i = 0; i < 4; ++i) {
            Owned copy = duplicate(ring.far[i]);
            REQUIRE_STATUS(0, send_handle(ring.near[(i + 2) % 4], copy));
            REQUIRE_STATUS(0, send_text(ring.near[i], "cargo"));
        }
    }
    REQUIRE_STATUS(0, send_handle(ring.near[0], passenger.b));
    EXPECT(!hung_up(passenger.a));
    ring.close_up();
    for (const Owned& near : ring.near) expect_hang_up(near);
    expect_hang_up(passenger.a);
}

TEST("collection: a ring goes when the last handle to it is revoked") {
    Ring<2> ring;
    const Owned source = duplicate(ring.far[0]);
    Owned reach = duplicate(source, KRIGHT_SAME);
    Channel outside;
    REQUIRE_STATUS(0, send_handle(outside.a, reach));
    // What waits in the ring is no child of `source`.
    ring.close_up();
    EXPECT_STATUS(0, kairos_handle_close(const_cast<Owned&>(source).release(),
                                         KHANDLE_CLOSE_F_REVOKE_DESCENDANTS));
    for (const Owned& near : ring.near) expect_hang_up(near);
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(outside.b));
    EXPECT_EQ(KAIROS_HANDLE_INVALID, inbox.handles[0]);
}

TEST("collection: a receive that is blocked on a lost endpoint ends") {
    Channel one;
    Channel two;
    Inbox inbox;
    Blocked receiver([&] { return inbox.receive(one.b); });
    REQUIRE_STATUS(0, send_handle(two.a, one.b));
    EXPECT(receiver.still_sleeps());
    REQUIRE_STATUS(0, send_handle(one.a, two.b));
    // Either it took the message (and two.b with it), or it was lost before.
    const kairos_status_t result = receiver.result();
    EXPECT(result == 0 || result == 1);
}

TEST("collection: a process that ends with rings of its own leaves nothing") {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(0, exit_code_of(spawn_role("makes rings", {})));
}

ROLE("makes rings") {
    for (uint32_t length = 1; length <= 8; ++length) {
        Ring<8> ring(length);
        if (length == 1) continue;
        Owned reach[8];
        for (uint32_t i = 0; i < length; ++i) reach[i] = duplicate(ring.far[i]);
        ring.close_up();
        for (uint32_t i = 0; i < length; ++i) {
            static_cast<void>(reach[i].release());
            static_cast<void>(ring.near[i].release());
        }
    }
    return 0;
}

// ---- Nests
// ---------------------------------------------------------------------------------------

namespace {

constexpr int kDepth = 1000;

}  // namespace

TEST("collection: a deep nest of pairs, made from the inside") {
    Channel inner;
    for (int i = 0; i < kDepth; ++i) {
        Channel outer;
        kairos_handle_t both[] = {inner.a.release(), inner.b.release()};
        REQUIRE_STATUS(0, send_handles(outer.a, both, 2));
        inner.a = std::move(outer.a);
        inner.b = std::move(outer.b);
    }
}

TEST("collection: a deep nest of pairs, made from the outside") {
    Channel outermost;
    Owned innermost = std::move(outermost.a);
    for (int i = 0; i < kDepth; ++i) {
        Channel next;
        REQUIRE_STATUS(0, send_handle(innermost, next.b));
        innermost = std::move(next.a);
    }
    EXPECT(!hung_up(innermost));
    outermost.b.close();
    expect_hang_up(innermost);
}

TEST("collection: a deep nest that is also a ring") {
    Channel outermost;
    Owned innermost = duplicate(outermost.a);
    for (int i = 0; i < kDepth; ++i) {
        Channel next;
        REQUIRE_STATUS(0, send_handle(innermost, next.b));
        innermost = std::move(next.a);
    }
    REQUIRE_STATUS(0, send_handle(innermost, outermost.b));
    expect_hang_up(outermost.a);
    expect_hang_up(innermost);
}

// ---- Races
// ---------------------------------------------------------------------------------------

// The last way to a ring goes by two threads at once, or one takes it while the other closes it.
TEST("collection: the last two ways to a ring go at once") {
    Rival rival;
    for (int round = 0; round < 200; ++round) {
        Ring<3> ring;
        Owned one = duplicate(ring.far[0]);
        Owned two = duplicate(ring.far[1]);
        ring.close_up();
        rival.race([&] { one.close(); }, [&] { two.close(); }, [] {});
        for (const Owned& near : ring.near) expect_hang_up(near);
    }
}

TEST("collection: a ring is received from while its last handle goes") {
    Rival rival;
    for (int round = 0; round < 200; ++round) {
        Ring<2> ring;
        Owned reach = duplicate(ring.far[0]);
        ring.close_up();
        const kairos_handle_t value = reach.release();
        Inbox inbox;
        kairos_status_t received = 0;
        rival.race([&] { received = inbox.poll(value); }, [&] { kairos_handle_close(value, 0); },
                   [] {});
        if (received == 1) {
            // far[1] came out in time: it lives, and what lies in its queue with it.
            EXPECT(!hung_up(ring.near[1]) || queued_in(inbox.received[0]) == 1);
            inbox.received[0].close();
        }
        for (const Owned& near : ring.near) expect_hang_up(near);
    }
}

TEST("collection: both halves of a ring are closed up at once") {
    Rival rival;
    for (int round = 0; round < 200; ++round) {
        Ring<2> ring;
        rival.race([&] { REQUIRE_STATUS(0, send_handle(ring.near[1], ring.far[0])); },
                   [&] { REQUIRE_STATUS(0, send_handle(ring.near[0], ring.far[1])); }, [] {});
        for (const Owned& near : ring.near) expect_hang_up(near);
    }
}
