// Races around ports, memory, processes, threads and handles as such. As in race_channel.cpp each
// pair runs many times; nothing may hang, be lost, or be left.
#include "harness.h"
#include "messages.h"
#include "packets.h"
#include "race.h"
#include "roles.h"
#include "tiny.h"

namespace {

constexpr int kRounds = 60;
constexpr uint64_t kPage = KAIROS_PAGE_SIZE;

void nothing() {}

}  // namespace

// ---- Ports
// ---------------------------------------------------------------------------------------

TEST("port: every operation against its close") {
    Rival rival;
    using Operation = kairos_status_t (*)(kairos_handle_t port, kairos_handle_t event);
    const Operation operations[] = {
        [](kairos_handle_t port, kairos_handle_t event) {
            return kairos_port_bind(port, event, 1, kUser0);
        },
        [](kairos_handle_t port, kairos_handle_t event) { return kairos_port_unbind(port, event); },
        [](kairos_handle_t port, kairos_handle_t) {
            kairos_port_packet packet;
            return next_packet(port, packet);
        },
        [](kairos_handle_t port, kairos_handle_t) {
            const kairos_port_packet packet = {1, 2, 3};
            return kairos_port_queue(port, &packet);
        },
        [](kairos_handle_t port, kairos_handle_t) {
            uint32_t revents;
            return kairos_object_wait(port, POLLIN, kForever, &revents);
        },
        [](kairos_handle_t, kairos_handle_t event) {
            return kairos_object_signal(event, 0, kUser0);
        },
        [](kairos_handle_t, kairos_handle_t event) { return kairos_handle_close(event, 0); },
    };
    for (const Operation operation : operations) {
        for (int round = 0; round < kRounds; ++round) {
            Owned port = make_port();
            Owned event = make_event();
            if (round % 2 == 0) {
                REQUIRE_STATUS(0, kairos_port_bind(port, event, 1, kUser0 | kUser3));
                REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser3));
            }
            const kairos_handle_t through = port;
            const kairos_handle_t object = event;
            kairos_status_t result = 0;
            rival.race([&] { result = operation(through, object); }, [&] { port.close(); },
                       nothing);
            EXPECT_ONE_OF(ANY(0, 1, -EBADF, -ECANCELED, -ENOENT), result);
            // Whatever came first, another port can have the event.
            if (is_valid(object)) {
                const Owned other = make_port();
                EXPECT_STATUS(0, kairos_port_bind(other, object, 2, kUser0 | kUser3));
            }
        }
    }
}

TEST("port: an object bound to two ports at once ends up with one") {
    Rival rival;
    const Owned first = make_port();
    const Owned second = make_port();
    for (int round = 0; round < kRounds; ++round) {
        const Owned event = make_event();
        rival.race([&] { EXPECT_STATUS(0, kairos_port_bind(first, event, 1, kUser0)); },
                   [&] { EXPECT_STATUS(0, kairos_port_bind(second, event, 2, kUser0)); }, nothing);
        REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
        kairos_port_packet packet;
        const bool in_first = poll_packet(first, packet) == 1;
        const bool in_second = poll_packet(second, packet) == 1;
        EXPECT(in_first != in_second);
    }
}

TEST("port: signals while packets are taken, none lost") {
    constexpr uint32_t kSignals = 2000;
    const Owned port = make_port();
    const Owned event = make_event();
    REQUIRE_STATUS(0, kairos_port_bind(port, event, 1, kUser0));
    Worker signaller([&] {
        for (uint32_t i = 0; i < kSignals; ++i) {
            if (!EXPECT_STATUS(0, kairos_object_signal(event, kUser0, kUser0))) return;
        }
    });
    uint64_t counted = 0;
    while (counted < kSignals) {
        kairos_port_packet packet;
        REQUIRE_STATUS(1, next_packet(port, packet));
        counted += packet.count;
    }
    signaller.join();
    EXPECT_EQ(kSignals, counted);
    EXPECT_NO_PACKET(port);
}

TEST("port: the last handle goes while several wait") {
    for (int round = 0; round < 20; ++round) {
        Owned port = make_port();
        const kairos_handle_t through = port;
        const auto wait = [&] {
            kairos_port_packet packet;
            const kairos_status_t status = next_packet(through, packet);
            EXPECT_ONE_OF(ANY(-ECANCELED, -EBADF), status);
        };
        Worker one(wait);
        Worker two(wait);
        Worker three(wait);
        for (int i = 0; i < round; ++i) kairos_yield();
        port.close();
    }
}

// ---- Handles
// -------------------------------------------------------------------------------------

TEST("handles: closed twice at once, one of them finds it") {
    Rival rival;
    for (int round = 0; round < 4 * kRounds; ++round) {
        Owned event = make_event();
        const kairos_handle_t handle = event.release();
        kairos_status_t theirs = 0;
        kairos_status_t ours = 0;
        rival.race([&] { theirs = kairos_handle_close(handle, 0); },
                   [&] { ours = kairos_handle_close(handle, 0); }, nothing);
        EXPECT_STATUS(-EBADF, theirs + ours);
        EXPECT(theirs == 0 || ours == 0);
    }
}

TEST("handles: sent twice at once, one of them arrives") {
    Rival rival;
    const Channel channel;
    for (int round = 0; round < 4 * kRounds; ++round) {
        Owned event = make_event();
        const kairos_handle_t handle = event.release();
        const auto send = [&] {
            kairos_handle_t value = handle;
            return send_handles(channel.a, &value, 1);
        };
        kairos_status_t theirs = 0;
        kairos_status_t ours = 0;
        rival.race([&] { theirs = send(); }, [&] { ours = send(); }, nothing);
        EXPECT(theirs == 0 || ours == 0);
        EXPECT_STATUS(-EBADF, theirs + ours);
        Inbox inbox;
        EXPECT_STATUS(1, inbox.poll(channel.b));
        EXPECT_STATUS(-EAGAIN, inbox.poll(channel.b));
    }
}

TEST("handles: a duplicate made while its source is revoked or closed") {
    Rival rival;
    for (int round = 0; round < 4 * kRounds; ++round) {
        const Owned top = make_event();
        const Owned middle = duplicate(top);
        kairos_handle_t made = KAIROS_HANDLE_INVALID;
        kairos_status_t status = 0;
        rival.race([&] { status = kairos_handle_duplicate(middle, KRIGHT_SAME, &made); },
                   [&] { EXPECT_STATUS(0, kairos_handle_revoke(top)); }, nothing);
        EXPECT_ONE_OF(ANY(0, -EBADF), status);
        // Made before, it went with its source; afterwards there was nothing to make it from.
        EXPECT(!is_valid(middle));
        if (made != KAIROS_HANDLE_INVALID) EXPECT(!is_valid(made));
    }
}

TEST("handles: revoked again and again while it is duplicated, what was made last goes at last") {
    Rival rival;
    for (int round = 0; round < 60 * kRounds; ++round) {
        const Owned top = make_event();
        kairos_handle_t made[4] = {};
        rival.race(
            [&] {
                for (kairos_handle_t& one : made) {
                    EXPECT_STATUS(0, kairos_handle_duplicate(top, KRIGHT_SAME, &one));
                }
            },
            [&] {
                for (int i = 0; i < 3; ++i) EXPECT_STATUS(0, kairos_handle_revoke(top));
            },
            nothing);
        EXPECT_STATUS(0, kairos_handle_revoke(top));
        for (const kairos_handle_t one : made) EXPECT(!is_valid(one));
        EXPECT_EQ(0u, lineage_of(top).children);
    }
}

TEST("handles: one that loses rights is found all the time") {
    Rival rival;
    for (int round = 0; round < 60 * kRounds; ++round) {
        const Channel channel;
        rival.race(
            [&] {
                for (int i = 0; i < 20; ++i) EXPECT(is_valid(channel.a));
            },
            [&] {
                for (uint32_t rights = rights_of(channel.a); rights != 0; rights &= rights - 1) {
                    EXPECT_STATUS(0, kairos_cap_rights_limit(channel.a, rights));
                }
            },
            nothing);
    }
}

TEST("handles: a grandchild sent while its root is revoked arrives as none or is closed") {
    Rival rival;
    const Channel channel;
    for (int round = 0; round < 4 * kRounds; ++round) {
        const Owned top = make_event();
        Owned middle = duplicate(top);
        Owned low = duplicate(middle);
        kairos_handle_t value = low.release();
        kairos_status_t sent = 0;
        Inbox inbox;
        rival.race(
            [&] {
                sent = send_handles(channel.a, &value, 1);
                if (sent == 0) inbox.poll(channel.b);
            },
            [&] { EXPECT_STATUS(0, kairos_handle_revoke(top)); }, nothing);
        EXPECT_ONE_OF(ANY(0, -EBADF), sent);
        EXPECT(!is_valid(value));
        if (sent == 0) EXPECT(!is_valid(inbox.handles[0]));
    }
}

// ---- Memory
// --------------------------------------------------------------------------------------

TEST("memory: used while it is unmapped") {
    Rival rival;
    const Owned memory = make_memory(4 * kPage);
    static char bytes[4 * kPage];
    for (int round = 0; round < 4 * kRounds; ++round) {
        void* at = nullptr;
        REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &at, 4 * kPage,
                                     KPROT_READ | KPROT_WRITE));
        kairos_status_t status = 0;
        rival.race(
            [&] {
                status = round % 2 == 0 ? kairos_memory_read(memory, 0, at, 4 * kPage)
                                        : kairos_memory_write(memory, 0, at, 4 * kPage);
            },
            [&] { REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), at, 4 * kPage)); }, nothing);
        EXPECT_ONE_OF(ANY(0, -EFAULT), status);
        EXPECT_STATUS(0, kairos_memory_read(memory, 0, bytes, sizeof(bytes)));
    }
}

TEST("memory: once unmap returns, no hart reaches the page") {
    // Another process counts in a page, on another hart; the page is taken away under it.
    for (int round = 0; round < 20; ++round) {
        TinyProcess tiny;
        tiny.set_code(tiny_count, tiny_count_end);
        if (hart_count() > 1) pin(1, tiny.thread);
        tiny.start();
        while (tiny.data().result == 0) kairos_yield();
        REQUIRE_STATUS(0, kairos_unmap(tiny.space, reinterpret_cast<void*>(kTinyData), kPage));
        const int64_t counted = tiny.data().result;
        EXPECT_STATUS(-EFAULT, tiny.exit_code());
        EXPECT_EQ(counted, tiny.data().result);
    }
}

TEST("memory: once protect returns, no hart writes to the page") {
    for (int round = 0; round < 20; ++round) {
        TinyProcess tiny;
        tiny.set_code(tiny_count, tiny_count_end);
        if (hart_count() > 1) pin(1, tiny.thread);
        tiny.start();
        while (tiny.data().result == 0) kairos_yield();
        REQUIRE_STATUS(
            0, kairos_protect(tiny.space, reinterpret_cast<void*>(kTinyData), kPage, KPROT_READ));
        const int64_t counted = tiny.data().result;
        EXPECT_STATUS(-EFAULT, tiny.exit_code());
        EXPECT_EQ(counted, tiny.data().result);
        EXPECT_EQ(15u, process_info(tiny.process).fault_cause);
    }
}

TEST("memory: two threads map at the same address, one of them does") {
    Rival rival;
    const Owned memory = make_memory();
    for (int round = 0; round < 2 * kRounds; ++round) {
        const auto map = [&] {
            void* at = reinterpret_cast<void*>(0x7000000);
            return kairos_map(kairos_self_aspace(), memory, 0, &at, kPage, KPROT_READ);
        };
        kairos_status_t theirs = 0;
        kairos_status_t ours = 0;
        rival.race([&] { theirs = map(); }, [&] { ours = map(); }, nothing);
        EXPECT_STATUS(-EEXIST, theirs + ours);
        EXPECT(theirs == 0 || ours == 0);
        REQUIRE_STATUS(
            0, kairos_unmap(kairos_self_aspace(), reinterpret_cast<void*>(0x7000000), kPage));
    }
}

// ---- Processes
// -----------------------------------------------------------------------------------

TEST("process: everything against kill") {
    Rival rival;
    using Operation = kairos_status_t (*)(TinyProcess&, kairos_handle_t second);
    const Operation operations[] = {
        [](TinyProcess& tiny, kairos_handle_t) { return tiny.try_start(); },
        [](TinyProcess& tiny, kairos_handle_t) {
            Owned event = make_event();
            const kairos_status_t status = tiny.try_start(event);
            EXPECT_EQ(status != 0, is_valid(event));
            return status;
        },
        [](TinyProcess& tiny, kairos_handle_t second) {
            tiny.try_start();
            return kairos_thread_start(second, kTinyCode, kTinyStackTop, 0, 0);
        },
        [](TinyProcess& tiny, kairos_handle_t) {
            Owned thread;
            return kairos_thread_create(tiny.process, "late", thread.out());
        },
        [](TinyProcess& tiny, kairos_handle_t) {
            void* at = nullptr;
            return kairos_map(tiny.space, make_memory(), 0, &at, kPage, KPROT_READ);
        },
        [](TinyProcess& tiny, kairos_handle_t) {
            return kairos_unmap(tiny.space, reinterpret_cast<void*>(kTinyCode), kPage);
        },
        [](TinyProcess& tiny, kairos_handle_t) { return kairos_process_kill(tiny.process, 2); },
        [](TinyProcess& tiny, kairos_handle_t) { return kairos_thread_interrupt(tiny.thread); },
        [](TinyProcess& tiny, kairos_handle_t) {
            return kairos_thread_set_affinity(tiny.thread, 1);
        },
        [](TinyProcess& tiny, kairos_handle_t) {
            return kairos_process_wait(tiny.process, kForever, nullptr);
        },
    };
    for (const Operation operation : operations) {
        for (int round = 0; round < 16; ++round) {
            TinyProcess tiny;
            tiny.set_code(tiny_spin, tiny_spin_end);
            Owned second;
            REQUIRE_STATUS(0, kairos_thread_create(tiny.process, "second", second.out()));
            if (round % 2 == 0) tiny.start();
            kairos_status_t status = 0;
            rival.race([&] { status = operation(tiny, second); },
                       [&] { EXPECT_STATUS(0, kairos_process_kill(tiny.process, 1)); }, nothing);
            EXPECT_ONE_OF(ANY(0, -ESRCH, -EINVAL), status);
            const int64_t code = tiny.exit_code();
            EXPECT(code == 1 || code == 2 || code == -EFAULT);
            EXPECT_EQ(0u, process_info(tiny.process).handles);
            EXPECT_EQ(0u, process_info(tiny.process).threads);
        }
    }
}

TEST("process: handles that arrive while it is killed are closed") {
    for (int round = 0; round < 30; ++round) {
        Channel channel;
        TinyProcess tiny;
        kairos_channel_msg room{};
        room.handles = reinterpret_cast<kairos_handle_t*>(kTinyRoom + 200);
        room.num_handles = 8;
        tiny.prepare_call(KAIROS_SYS_channel_recv, tiny.put(room), 0, UINT64_MAX);
        Channel inner;
        tiny.start(std::move(channel.b));
        for (int i = 0; i < round % 7; ++i) kairos_yield();
        kairos_handle_t handle = inner.a.release();
        EXPECT_STATUS(0, send_handles(channel.a, &handle, 1));
        EXPECT_STATUS(0, kairos_process_kill(tiny.process, 1));
        const int64_t code = tiny.exit_code();
        EXPECT(code == 1 || code == kTinyExitCode);
        EXPECT_EQ(POLLHUP, ready(inner.b, 0));
    }
}

TEST("process: a server that is killed leaves no caller waiting") {
    for (int round = 0; round < 15; ++round) {
        Channel channel;
        const Owned process =
            spawn_role("serves for ever", {{KAIROS_BOOT_USER0, channel.b.release()}});
        std::atomic<uint32_t> answered{0};
        const auto call = [&] {
            Inbox inbox;
            while (true) {
                const kairos_status_t status = inbox.call(channel.a, message_of("q"));
                if (status != 1) {
                    EXPECT_STATUS(-EPIPE, status);
                    return;
                }
                answered.fetch_add(1);
            }
        };
        Worker one(call);
        Worker two(call);
        while (answered.load() < 5) kairos_yield();
        EXPECT_STATUS(0, kairos_process_kill(process, 1));
        EXPECT_EQ(1, exit_code_of(process));
    }
}
ROLE("serves for ever") {
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_USER0);
    Inbox inbox;
    kairos_channel_msg reply = message_of("a");
    kairos_channel_msg* pending = nullptr;
    while (inbox.reply_receive(channel, pending) == 1) {
        reply.txid = inbox.header.txid;
        pending = &reply;
    }
    return 0;
}

TEST("thread: start, join and interrupt at once") {
    Rival rival;
    for (int round = 0; round < kRounds; ++round) {
        Owned thread;
        REQUIRE_STATUS(0,
                       kairos_thread_spawn([](void*) { kairos_yield(); }, nullptr, thread.out()));
        rival.race([&] { EXPECT_STATUS(0, kairos_thread_interrupt(thread)); },
                   [&] { EXPECT_STATUS(0, kairos_thread_join(thread, kForever)); }, nothing);
    }
}
