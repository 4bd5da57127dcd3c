// What derives from what, and revocation: live handles, handles in messages, handles of other
// processes, calls that are blocked, mappings.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "roles.h"
#include "tiny.h"
#include "workers.h"

// ---- The tree
// ------------------------------------------------------------------------------------

TEST("a new handle derives from nothing") {
    const Owned event = make_event();
    const kairos_info_lineage info = lineage_of(event);
    EXPECT(info.cap_id != 0);
    EXPECT_EQ(0u, info.parent_id);
    EXPECT_EQ(0u, info.children);
    EXPECT_EQ(0u, info.revoked);
}

TEST("a duplicate is a child of its source") {
    const Owned top = make_event();
    const Owned child = duplicate(top);
    const Owned grandchild = duplicate(child);
    EXPECT_EQ(lineage_of(top).cap_id, lineage_of(child).parent_id);
    EXPECT_EQ(lineage_of(child).cap_id, lineage_of(grandchild).parent_id);
    EXPECT_EQ(1u, lineage_of(top).children);
    const Owned second = duplicate(top);
    EXPECT_EQ(2u, lineage_of(top).children);
    EXPECT_EQ(0u, lineage_of(second).children);
}

TEST("children of a closed handle become its parent's") {
    const Owned top = make_event();
    Owned middle = duplicate(top);
    const Owned low0 = duplicate(middle);
    const Owned low1 = duplicate(middle);
    middle.close();
    EXPECT_EQ(lineage_of(top).cap_id, lineage_of(low0).parent_id);
    EXPECT_EQ(lineage_of(top).cap_id, lineage_of(low1).parent_id);
    EXPECT_EQ(2u, lineage_of(top).children);
    REQUIRE_STATUS(0, kairos_handle_revoke(top));
    EXPECT(!is_valid(low0));
    EXPECT(!is_valid(low1));
}

TEST("children of a closed root derive from nothing") {
    Owned top = make_event();
    const Owned low = duplicate(top);
    top.close();
    EXPECT_EQ(0u, lineage_of(low).parent_id);
    EXPECT_STATUS(0, kairos_object_signal(low, 0, 1u << 8));
}

TEST("a handle that travels keeps its place") {
    const Channel channel;
    const Owned top = make_event();
    Owned moved = duplicate(top);
    const Owned below = duplicate(moved);
    const uint64_t cap = lineage_of(moved).cap_id;
    REQUIRE_STATUS(0, send_handle(channel.a, moved));
    EXPECT_EQ(1u, lineage_of(top).children);
    EXPECT_EQ(cap, lineage_of(below).parent_id);
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(cap, lineage_of(inbox.received[0]).cap_id);
    EXPECT_EQ(lineage_of(top).cap_id, lineage_of(inbox.received[0]).parent_id);
    EXPECT_EQ(1u, lineage_of(inbox.received[0]).children);
}

TEST("a deep tree comes down") {
    const Owned top = make_event();
    kairos_handle_t chain[500];
    kairos_handle_t last = top;
    for (kairos_handle_t& handle : chain) {
        REQUIRE_STATUS(0, kairos_handle_duplicate(last, KRIGHT_SAME, &handle));
        last = handle;
    }
    EXPECT_STATUS(0, kairos_handle_revoke(chain[249]));
    EXPECT(is_valid(chain[249]));
    EXPECT(!is_valid(chain[250]));
    EXPECT(!is_valid(chain[499]));
    EXPECT_EQ(0u, lineage_of(chain[249]).children);
    EXPECT_STATUS(0, kairos_handle_revoke(top));
    for (const kairos_handle_t handle : chain) EXPECT(!is_valid(handle));
}

// ---- Revocation
// ----------------------------------------------------------------------------------

TEST("revoke: what is derived, and nothing else") {
    const Owned top = make_event();
    const Owned left = duplicate(top);
    const Owned right = duplicate(top);
    const Owned below_left = duplicate(left);
    EXPECT_STATUS(0, kairos_handle_revoke(left));
    EXPECT(is_valid(top));
    EXPECT(is_valid(left));
    EXPECT(is_valid(right));
    EXPECT(!is_valid(below_left));
    EXPECT_STATUS(-EBADF, kairos_object_signal(below_left, 0, 1u << 8));
    EXPECT_STATUS(-EBADF, kairos_handle_close(below_left, 0));
    EXPECT_STATUS(0, kairos_object_signal(left, 0, 1u << 8));
}

TEST("revoke: a handle without descendants") {
    const Owned event = make_event();
    EXPECT_STATUS(0, kairos_handle_revoke(event));
    EXPECT_STATUS(0, kairos_handle_revoke(event));
    EXPECT(is_valid(event));
}

TEST("revoke: no right is needed") {
    const Owned top = make_event();
    const Owned child = duplicate(top);
    REQUIRE_STATUS(0, kairos_cap_rights_limit(top, KRIGHT_READ));
    EXPECT_STATUS(0, kairos_handle_revoke(top));
    EXPECT(!is_valid(child));
}

TEST("revoke: what is derived afterwards is not concerned") {
    const Owned top = make_event();
    REQUIRE_STATUS(0, kairos_handle_revoke(top));
    const Owned child = duplicate(top);
    EXPECT(is_valid(child));
    EXPECT_EQ(0u, lineage_of(child).revoked);
}

TEST("close with revocation of descendants") {
    Owned top = make_event();
    const Owned sibling_of_none = duplicate(top);
    const Owned below = duplicate(sibling_of_none);
    EXPECT_STATUS(0, kairos_handle_close(top.release(), KHANDLE_CLOSE_F_REVOKE_DESCENDANTS));
    EXPECT(!is_valid(sibling_of_none));
    EXPECT(!is_valid(below));
}

TEST("revoke: slots are free again") {
    const Owned top = make_event();
    const uint32_t before = own_handles();
    for (int i = 0; i < 100; ++i) {
        static_cast<void>(duplicate(top).release());
    }
    EXPECT_EQ(before + 100, own_handles());
    EXPECT_STATUS(0, kairos_handle_revoke(top));
    EXPECT_EQ(before, own_handles());
}

TEST("revoke: the object goes with the last handle") {
    Channel channel;
    const Owned copy = duplicate(channel.a);
    // The original is below nothing; a duplicate of it is all that is left.
    channel.a.close();
    const Owned last = duplicate(copy);
    EXPECT_STATUS(0, kairos_handle_close(copy, KHANDLE_CLOSE_F_REVOKE_DESCENDANTS));
    EXPECT(!is_valid(last));
    EXPECT_EQ(POLLHUP, ready(channel.b, 0));
    Inbox inbox;
    EXPECT_STATUS(0, inbox.poll(channel.b));
}

// ---- In flight
// -----------------------------------------------------------------------------------

TEST("revoke: a handle in a queued message arrives as none") {
    const Channel channel;
    const Owned top = make_event();
    Owned doomed = duplicate(top);
    Owned kept = make_event();
    kairos_handle_t handles[] = {doomed, kept};
    const kairos_channel_msg message = message_of("pair", 4, handles, 2);
    REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, kForever));
    static_cast<void>(doomed.release());
    static_cast<void>(kept.release());
    REQUIRE_STATUS(0, kairos_handle_revoke(top));
    const uint32_t before = own_handles();
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    EXPECT(inbox.has_text("pair"));
    EXPECT_EQ(2u, inbox.header.num_handles);
    EXPECT_EQ(KAIROS_HANDLE_INVALID, inbox.handles[0]);
    EXPECT(is_valid(inbox.handles[1]));
    EXPECT_EQ(before + 1, own_handles());
}

TEST("revoke: what a handle in flight led to is closed at once") {
    Channel carrier;
    Channel channel;
    Owned travels = duplicate(channel.a);
    REQUIRE_STATUS(0, send_handle(carrier.a, travels));
    // The endpoint now lives by its first handle and by the one in flight.
    EXPECT_EQ(0u, ready(channel.b, 0));
    REQUIRE_STATUS(0, kairos_handle_close(channel.a.release(), KHANDLE_CLOSE_F_REVOKE_DESCENDANTS));
    EXPECT_EQ(POLLHUP, ready(channel.b, 0));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(carrier.b));
    EXPECT_EQ(KAIROS_HANDLE_INVALID, inbox.handles[0]);
}

TEST("revoke: a handle that a blocked send carries travels on as none") {
    const Channel channel;
    fill_queue(channel.a);
    const Owned top = make_event();
    Owned doomed = duplicate(top);
    const kairos_handle_t value = doomed.release();
    Blocked sender([&] {
        kairos_handle_t handle = value;
        return send_handles(channel.a, &handle, 1, 0);
    });
    // While it is on its way nobody can use it.
    EXPECT_STATUS(-EBADF, kairos_object_signal(value, 0, 1u << 8));
    EXPECT_STATUS(-EBADF, kairos_handle_close(value, 0));
    REQUIRE_STATUS(0, kairos_handle_revoke(top));
    Inbox inbox;
    for (uint32_t i = 0; i < KCHANNEL_MAX_QUEUE; ++i) REQUIRE_STATUS(1, inbox.receive(channel.b));
    REQUIRE_STATUS(1, inbox.receive(channel.b));
    EXPECT_STATUS(0, sender.result());
    EXPECT_EQ(1u, inbox.header.num_handles);
    EXPECT_EQ(KAIROS_HANDLE_INVALID, inbox.handles[0]);
}

TEST("revoke: a revoked handle does not come back when the send fails") {
    const Channel channel;
    fill_queue(channel.a);
    const Owned top = make_event();
    Owned doomed = duplicate(top);
    const kairos_handle_t value = doomed.release();
    const uint32_t before = own_handles();
    Blocked sender([&] {
        kairos_handle_t handle = value;
        return send_handles(channel.a, &handle, 1, 0);
    });
    REQUIRE_STATUS(0, kairos_handle_revoke(top));
    sender.interrupt();
    EXPECT_STATUS(-EINTR, sender.result());
    EXPECT(!is_valid(value));
    EXPECT_EQ(before - 1, own_handles());
}

// ---- Blocked calls
// -------------------------------------------------------------------------------

TEST("revoke: a receive that is blocked through the handle is canceled") {
    const Channel channel;
    const Owned copy = duplicate(channel.b);
    Blocked receiver([&] {
        Inbox inbox;
        return inbox.receive(copy);
    });
    REQUIRE_STATUS(0, kairos_handle_revoke(channel.b));
    EXPECT_STATUS(-ECANCELED, receiver.result());
    EXPECT_EQ(0u, ready(channel.a, 0));
}

TEST("revoke: a receive through another handle goes on") {
    const Channel channel;
    const Owned copy = duplicate(channel.b);
    Inbox inbox;
    Blocked receiver([&] { return inbox.receive(channel.b); });
    REQUIRE_STATUS(0, kairos_handle_revoke(channel.b));
    EXPECT(!is_valid(copy));
    REQUIRE_STATUS(0, send_text(channel.a, "for you"));
    EXPECT_STATUS(1, receiver.result());
    EXPECT(inbox.has_text("for you"));
}

TEST("revoke: too late for one call, it leaves the next one alone") {
    const Channel channel;
    const Owned copy = duplicate(channel.b);
    const std::atomic<uint32_t> word{0};
    Inbox inbox;
    kairos_status_t slept = 1;
    kairos_status_t waited = 1;
    Blocked receiver([&] {
        const kairos_status_t received = inbox.receive(copy);
        slept = kairos_sleep_until(kairos_clock_now() + 1000);
        waited = kairos_futex_wait(reinterpret_cast<const uint32_t*>(&word), 0, kPast);
        return received;
    });
    // On this hart it does not run between the message that ends its call and the revocation.
    pin(0);
    pin(0, receiver.thread());
    REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), KPRIORITY_USUAL + 1));
    REQUIRE_STATUS(0, send_text(channel.a, "first"));
    REQUIRE_STATUS(0, kairos_handle_revoke(channel.b));
    EXPECT_STATUS(1, receiver.result());
    EXPECT_STATUS(0, slept);
    EXPECT_STATUS(-ETIMEDOUT, waited);
}

TEST("revoke: blocked send, call, port_wait and object_wait are canceled") {
    const Channel full;
    fill_queue(full.a);
    const Channel silent;
    const Owned port = make_port();
    const Owned event = make_event();
    const Owned sender_handle = duplicate(full.a);
    const Owned caller_handle = duplicate(silent.a);
    const Owned port_handle = duplicate(port);
    const Owned event_handle = duplicate(event);

    Blocked sender([&] { return send_text(sender_handle, "no room"); });
    Blocked caller([&] {
        Inbox inbox;
        return inbox.call(caller_handle, message_of("hello?"));
    });
    Blocked taker([&] {
        kairos_port_packet packet;
        return kairos_port_wait(port_handle, &packet, 1, 0, kForever);
    });
    Blocked waiter([&] {
        uint32_t revents = 0;
        return kairos_object_wait(caller_handle, POLLIN, kForever, &revents);
    });
    REQUIRE_STATUS(0, kairos_handle_revoke(full.a));
    REQUIRE_STATUS(0, kairos_handle_revoke(silent.a));
    REQUIRE_STATUS(0, kairos_handle_revoke(port));
    EXPECT_STATUS(-ECANCELED, sender.result());
    EXPECT_STATUS(-ECANCELED, caller.result());
    EXPECT_STATUS(-ECANCELED, taker.result());
    EXPECT_STATUS(-ECANCELED, waiter.result());
    EXPECT_EQ(KCHANNEL_MAX_QUEUE, drain_queue(full.b));
}

// ---- Other processes, mappings
// -------------------------------------------------------------------

ROLE("holds an endpoint until it is revoked") {
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_USER0);
    if (send_text(channel, "here") != 0) return 2;
    Inbox inbox;
    if (inbox.receive(channel) != -ECANCELED) return 3;
    return is_valid(channel) ? 4 : 0;
}

TEST("revoke: a handle of another process") {
    const Channel channel;
    Owned copy = duplicate(channel.b);
    const Owned process =
        spawn_role("holds an endpoint until it is revoked", {{KAIROS_BOOT_USER0, copy.release()}});
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.receive(channel.a));
    // Its thread is the only one of that process; it is about to sleep or does so.
    REQUIRE_STATUS(0, kairos_handle_revoke(channel.b));
    const int64_t code = exit_code_of(process);
    // Revoked before it slept, the receive finds no handle at all.
    EXPECT(code == 0 || code == 3);
    EXPECT_EQ(0u, ready(channel.a, 0));
}

namespace {

// Maps a page of memory through a handle, writable, and touches it.
char* map_through(kairos_handle_t memory) {
    void* address = nullptr;
    REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address, KAIROS_PAGE_SIZE,
                                 KPROT_READ | KPROT_WRITE));
    *static_cast<char*>(address) = 'm';
    return static_cast<char*>(address);
}

}  // namespace

TEST("revoke: takes away the mappings made through the handle and its descendants") {
    const Prober prober;
    const Owned top = make_memory();
    const Owned memory = duplicate(top);
    const Owned child = duplicate(memory);
    const Owned grandchild = duplicate(child);
    char* above = map_through(top);
    char* own = map_through(memory);
    char* below[] = {map_through(child), map_through(grandchild), map_through(grandchild)};
    REQUIRE_STATUS(0, kairos_handle_revoke(memory));
    EXPECT(prober.can_write(above));
    EXPECT(!prober.can_read(own));
    for (char* address : below) EXPECT(!prober.can_read(address));
    EXPECT(is_valid(memory));
    // What is mapped afterwards is not concerned, and what was mapped can be again.
    char* again = map_through(memory);
    EXPECT_EQ('m', *again);
    EXPECT_STATUS(0, kairos_unmap(kairos_self_aspace(), again, KAIROS_PAGE_SIZE));
    EXPECT_STATUS(0, kairos_unmap(kairos_self_aspace(), above, KAIROS_PAGE_SIZE));
    // Their addresses are free.
    void* address = own;
    EXPECT_STATUS(0, kairos_map(kairos_self_aspace(), top, 0, &address, KAIROS_PAGE_SIZE, 0));
    EXPECT_STATUS(0, kairos_unmap(kairos_self_aspace(), own, KAIROS_PAGE_SIZE));
}

TEST("revoke: a mapping made through a handle that was closed is its parent's") {
    const Prober prober;
    const Owned top = make_memory();
    Owned middle = duplicate(top);
    Owned low = duplicate(middle);
    char* address = map_through(low);
    EXPECT_EQ(0u, lineage_of(low).children);
    low.close();
    middle.close();
    EXPECT_EQ(0u, lineage_of(top).children);
    EXPECT(prober.can_write(address));
    REQUIRE_STATUS(0, kairos_handle_revoke(top));
    EXPECT(!prober.can_read(address));
}

TEST("revoke: takes away every piece that a mapping was cut into, and nothing beside it") {
    constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
    const Prober prober;
    const Owned top = make_memory(9 * kPage);
    const Owned child = duplicate(top);
    void* address = nullptr;
    REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), child, 0, &address, 9 * kPage,
                                 KPROT_READ | KPROT_WRITE));
    char* base = static_cast<char*>(address);
    memset(base, 'x', 9 * kPage);
    REQUIRE_STATUS(0, kairos_protect(kairos_self_aspace(), base + kPage, kPage, KPROT_READ));
    REQUIRE_STATUS(0, kairos_protect(kairos_self_aspace(), base + 5 * kPage, kPage, 0));
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), base + 3 * kPage, kPage));
    // In the hole something else, which stays.
    const Owned other = make_memory();
    address = base + 3 * kPage;
    REQUIRE_STATUS(
        0, kairos_map(kairos_self_aspace(), other, 0, &address, kPage, KPROT_READ | KPROT_WRITE));
    REQUIRE_STATUS(0, kairos_handle_revoke(top));
    for (int i = 0; i < 9; ++i) EXPECT_EQ(i == 3, prober.can_read(base + i * kPage));
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), base, 9 * kPage));
}

TEST("revoke: takes mappings away from another process") {
    TinyProcess tiny;
    const Owned memory = make_memory();
    const Owned child = duplicate(memory);
    void* address = reinterpret_cast<void*>(0x40000);
    REQUIRE_STATUS(
        0, kairos_map(tiny.space, child, 0, &address, KAIROS_PAGE_SIZE, KPROT_READ | KPROT_WRITE));
    tiny.set_code(tiny_store, tiny_store_end);
    REQUIRE_STATUS(0, kairos_handle_revoke(memory));
    tiny.start({}, 0x40000);
    EXPECT_EQ(-EFAULT, tiny.exit_code());
    EXPECT_EQ(0x40000u, process_info(tiny.process).fault_address);
}

// Each round: one thread stores to the page without end, the other revokes the handle that the page
// is mapped through, and looks whether any store arrives after that.
TEST("revoke: no store lands after it has returned") {
    constexpr int kRounds = 100;
    const Owned top = make_memory();
    const auto word = [&] {
        uint64_t value = 0;
        REQUIRE_STATUS(0, kairos_memory_read(top, 0, &value, sizeof(value)));
        return value;
    };
    for (int round = 0; round < kRounds; ++round) {
        TinyProcess tiny;
        {
            const Owned child = duplicate(top, rights_of(top));
            void* address = reinterpret_cast<void*>(0x40000);
            REQUIRE_STATUS(0, kairos_map(tiny.space, child, 0, &address, KAIROS_PAGE_SIZE,
                                         KPROT_READ | KPROT_WRITE));
        }
        tiny.set_code(tiny_count_there, tiny_count_there_end);
        const uint64_t before = word();
        tiny.start({}, 0x40000);
        while (word() == before) kairos_yield();
        REQUIRE_STATUS(0, kairos_handle_revoke(top));
        const uint64_t after = word();
        EXPECT_EQ(-EFAULT, tiny.exit_code());
        if (!EXPECT_EQ(after, word())) break;
    }
}

// Two threads: one maps through a duplicate as fast as it can, the other revokes. Every mapping
// that was made before the revocation is gone, and none is made through a handle that is.
TEST("revoke: against map") {
    constexpr int kRounds = 100;
    const Prober prober;
    const Owned top = make_memory();
    for (int round = 0; round < kRounds; ++round) {
        const kairos_handle_t child = duplicate(top).release();
        std::atomic<int> mapped{0};
        void* addresses[64];
        {
            Worker mapper([&] {
                for (void*& address : addresses) {
                    address = nullptr;
                    if (kairos_map(kairos_self_aspace(), child, 0, &address, KAIROS_PAGE_SIZE,
                                   KPROT_READ) != 0) {
                        return;
                    }
                    ++mapped;
                }
            });
            while (mapped.load() < round % 16) kairos_yield();
            REQUIRE_STATUS(0, kairos_handle_revoke(top));
        }
        EXPECT(!is_valid(child));
        for (int i = 0; i < mapped.load(); ++i) EXPECT(!prober.can_read(addresses[i]));
    }
}

TEST("revoke: closing the handle that a mapping was made through keeps the mapping") {
    Owned memory = make_memory();
    void* address = nullptr;
    REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address, KAIROS_PAGE_SIZE,
                                 KPROT_READ | KPROT_WRITE));
    memory.close();
    strcpy(static_cast<char*>(address), "mine");
    EXPECT_EQ(0, strcmp(static_cast<char*>(address), "mine"));
    EXPECT_STATUS(0, kairos_unmap(kairos_self_aspace(), address, KAIROS_PAGE_SIZE));
}
