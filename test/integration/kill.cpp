// Killing processes in whatever state their threads are, on whatever hart; large ones, too. Each
// ends once, with the code of whoever was first, and leaves nothing (see isolation.h).
#include "harness.h"
#include "messages.h"
#include "packets.h"
#include "roles.h"
#include "tiny.h"
#include "workers.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;

// Loads from every page of a large mapping, which is taken away and made anew each time around.
SNIPPET(tiny_fault_for_ever,
        "1: mv t0, a1\n"
        "li t1, 64\n"
        "lui t2, 1\n"
        "2: ld t3, 0(t0)\n"
        "add t0, t0, t2\n"
        "addi t1, t1, -1\n"
        "bnez t1, 2b\n"
        "j 1b");

// Kills, and looks whether the end comes once, with the right code.
void kill_and_check(const TinyProcess& tiny) {
    const Owned port = make_port();
    REQUIRE_STATUS(0, kairos_port_bind(port, tiny.process, 9, KPORT_BIND_TERMINATED));
    EXPECT_STATUS(0, kairos_process_kill(tiny.process, 41));
    EXPECT_STATUS(0, kairos_process_kill(tiny.process, 42));
    kairos_port_packet packets[2] = {};
    EXPECT_STATUS(1, kairos_port_wait(port, packets, 2, 0, KAIROS_TIME_INFINITE));
    EXPECT_EQ(9u, packets[0].key);
    EXPECT_EQ(KPORT_BIND_TERMINATED, packets[0].observed);
    EXPECT_EQ(1u, packets[0].count);
    EXPECT_EQ(41, tiny.exit_code());
    EXPECT_STATUS(0, kairos_process_kill(tiny.process, 43));
    EXPECT_EQ(41, tiny.exit_code());
    EXPECT_STATUS(-EAGAIN, kairos_port_wait(port, packets, 2, KPORT_WAIT_NONBLOCK, 0));
    const kairos_info_process info = process_info(tiny.process);
    EXPECT_EQ(uint32_t{KAIROS_PROCESS_ENDED}, info.state);
    EXPECT_EQ(0u, info.handles);
    EXPECT_EQ(0u, info.threads);
}

void kill_when_blocked(TinyProcess& tiny, Owned bootstrap = {}) {
    tiny.start(std::move(bootstrap));
    REQUIRE(wait_until_blocked(tiny.thread));
    kill_and_check(tiny);
    EXPECT_EQ(0u, tiny.data().returned);
}

}  // namespace

TEST("killed: never started, with and without a thread") { kill_and_check(TinyProcess()); }

TEST("killed: running") {
    for (int i = 0; i < 50; ++i) {
        TinyProcess tiny;
        tiny.set_code(tiny_spin, tiny_spin_end);
        tiny.start();
        kill_and_check(tiny);
    }
}

TEST("killed: blocked in each call that blocks") {
    {
        TinyProcess tiny;
        tiny.prepare_plain_call(KAIROS_SYS_sleep_until, UINT64_MAX);
        kill_when_blocked(tiny);
    }
    {
        TinyProcess tiny;
        tiny.prepare_plain_call(KAIROS_SYS_futex_wait, kTinyRoom, 0, UINT64_MAX);
        kill_when_blocked(tiny);
    }
    {
        Channel channel;
        TinyProcess tiny;
        tiny.prepare_call(KAIROS_SYS_channel_recv, tiny.put(kairos_channel_msg{}), 0, UINT64_MAX);
        kill_when_blocked(tiny, std::move(channel.b));
    }
    {
        Channel channel;
        const kairos_channel_msg message{};
        while (kairos_channel_send(channel.b, &message, KCHANNEL_OPT_NONBLOCK, 0) == 0) {}
        TinyProcess tiny;
        tiny.prepare_call(KAIROS_SYS_channel_send, tiny.put(message), 0, UINT64_MAX);
        kill_when_blocked(tiny, std::move(channel.b));
    }
    {
        Channel channel;
        TinyProcess tiny;
        const uint64_t request = tiny.put(kairos_channel_msg{});
        tiny.prepare_call(KAIROS_SYS_channel_call, request,
                          tiny.put(kairos_channel_msg{}, sizeof(kairos_channel_msg)), UINT64_MAX);
        kill_when_blocked(tiny, std::move(channel.b));
    }
    {
        Channel channel;
        TinyProcess tiny;
        tiny.prepare_call(KAIROS_SYS_channel_reply_recv, 0, tiny.put(kairos_channel_msg{}),
                          UINT64_MAX);
        kill_when_blocked(tiny, std::move(channel.b));
    }
    {
        Owned port;
        REQUIRE_STATUS(0, kairos_port_create(KPORT_CREATE_TRANSFERABLE, port.out()));
        TinyProcess tiny;
        tiny.prepare_call(KAIROS_SYS_port_wait, kTinyRoom, 1, 0, UINT64_MAX);
        kill_when_blocked(tiny, std::move(port));
    }
    {
        TinyProcess tiny;
        tiny.prepare_call(KAIROS_SYS_object_wait, KAIROS_POLLIN, UINT64_MAX, kTinyRoom);
        kill_when_blocked(tiny, make_event());
    }
    {
        TinyProcess other;  // never stops, so its state is waited for
        TinyProcess tiny;
        tiny.prepare_call(KAIROS_SYS_thread_read_state, KTHREAD_STATE_GENERAL, kTinyRoom,
                          sizeof(kairos_thread_general), UINT64_MAX);
        kill_when_blocked(tiny, duplicate(other.thread));
    }
}

TEST("killed: suspended, running and blocked") {
    {
        TinyProcess tiny;
        tiny.set_code(tiny_spin, tiny_spin_end);
        REQUIRE_STATUS(0, kairos_thread_suspend(tiny.thread));
        tiny.start();
        kill_and_check(tiny);
    }
    {
        TinyProcess tiny;
        tiny.prepare_plain_call(KAIROS_SYS_sleep_until, UINT64_MAX);
        tiny.start();
        REQUIRE(wait_until_blocked(tiny.thread));
        REQUIRE_STATUS(0, kairos_thread_suspend(tiny.thread));
        kill_and_check(tiny);
    }
}

TEST("killed: waiting for the answer to an exception") {
    Channel channel;
    TinyProcess tiny;
    REQUIRE_STATUS(0, kairos_process_set_exception_channel(tiny.process, channel.b));
    static_cast<void>(channel.b.release());
    tiny.set_code(tiny_illegal, tiny_illegal_end);
    tiny.start();
    uint32_t revents = 0;
    REQUIRE_STATUS(0, kairos_object_wait(channel.a, KAIROS_POLLIN, KAIROS_TIME_INFINITE, &revents));
    kill_and_check(tiny);
}

TEST("killed: in page faults") {
    for (int i = 0; i < 50; ++i) {
        const Owned memory = make_memory(64 * kPage);
        TinyProcess tiny;
        tiny.set_code(tiny_fault_for_ever, tiny_fault_for_ever_end);
        void* address = reinterpret_cast<void*>(0x100000);
        REQUIRE_STATUS(0, kairos_map(tiny.space, memory, 0, &address, 64 * kPage, KPROT_READ));
        tiny.start({}, 0x100000);
        for (int round = 0; round < i % 8; ++round) {
            REQUIRE_STATUS(0, kairos_protect(tiny.space, address, 64 * kPage, KPROT_READ));
        }
        kill_and_check(tiny);
    }
}

TEST("killed while it exits, faults or ends its last thread: one of the two codes") {
    for (int i = 0; i < 200; ++i) {
        TinyProcess tiny;
        int64_t own = kTinyExitCode;
        if (i % 3 == 0) {
            tiny.set_code(tiny_illegal, tiny_illegal_end);
            own = -EFAULT;
        } else if (i % 3 == 1) {
            tiny.set_code(tiny_exit, tiny_exit_end);
        } else {
            tiny.set_code(tiny_thread_exit, tiny_thread_exit_end);
            own = 0;
        }
        const uint64_t argument = i % 3 == 2 ? uint64_t{KAIROS_SYS_thread_exit} : kTinyExitCode;
        tiny.start({}, argument);
        for (int wait = 0; wait < i % 7; ++wait) kairos_yield();
        EXPECT_STATUS(0, kairos_process_kill(tiny.process, 41));
        EXPECT_ONE_OF(ANY(41, own), tiny.exit_code());
    }
}

// ---- Large ones ---------------------------------------------------------------------------------

ROLE("has many threads") {
    for (int i = 0; i < 300; ++i) {
        const auto sleep = [](void*) { kairos_sleep_until(KAIROS_TIME_INFINITE); };
        if (kairos_thread_spawn(sleep, nullptr, nullptr) != 0) return 2;
    }
    kairos_object_signal(kairos_bootstrap(KAIROS_BOOT_USER0), 0, 1u << 8);
    return kairos_sleep_until(KAIROS_TIME_INFINITE) == 0;
}

ROLE("has all the handles that there can be") {
    kairos_handle_t handle = KAIROS_HANDLE_INVALID;
    kairos_status_t status = 0;
    const kairos_handle_t port = make_port().release();
    for (uint64_t i = 0; status == 0; ++i) {
        status = i % 2 == 0 ? kairos_event_create(&handle) : kairos_timer_create(&handle);
        if (status == 0) kairos_port_bind(port, handle, i, 1u << 8);
        if (status == 0 && i % 2 == 1) kairos_timer_set(handle, kairos_clock_now(), 1);
    }
    kairos_object_signal(kairos_bootstrap(KAIROS_BOOT_USER0), 0, 1u << 8);
    if (status != -EMFILE) return 2;
    return kairos_sleep_until(KAIROS_TIME_INFINITE) == 0;
}

ROLE("has full queues of messages with handles") {
    kairos_status_t status = 0;
    while (status == 0) {
        kairos_handle_t near = KAIROS_HANDLE_INVALID;
        kairos_handle_t far = KAIROS_HANDLE_INVALID;
        if (kairos_channel_create(0, &near, &far) != 0) break;
        while (status == 0) {
            kairos_handle_t handles[KCHANNEL_MAX_MSG_HANDLES];
            for (kairos_handle_t& handle : handles) {
                if (kairos_event_create(&handle) != 0) return 2;
            }
            const kairos_channel_msg message = message_of("m", 2, handles, 8);
            status = kairos_channel_send(near, &message, KCHANNEL_OPT_NONBLOCK, 0);
        }
        if (status == -EAGAIN && kairos_handle_close(near, 0) == 0) status = 0;
        if (process_info(kairos_self_process()).handles > 100) break;
    }
    kairos_object_signal(kairos_bootstrap(KAIROS_BOOT_USER0), 0, 1u << 8);
    return kairos_sleep_until(KAIROS_TIME_INFINITE) == 0;
}

TEST("killed: large ones, and everything goes with them") {
    for (const char* role : {"has many threads", "has all the handles that there can be",
                             "has full queues of messages with handles"}) {
        const Owned event = make_event();
        const Owned port = make_port();
        REQUIRE_STATUS(0, kairos_port_bind(port, event, 1, 1u << 8));
        Owned copy = duplicate(event);
        const Owned process = spawn_role(role, {{KAIROS_BOOT_USER0, copy}});
        static_cast<void>(copy.release());
        REQUIRE_STATUS(0, kairos_port_bind(port, process, 2, KPORT_BIND_TERMINATED));
        kairos_port_packet packet{};
        REQUIRE_STATUS(1, kairos_port_wait(port, &packet, 1, 0, KAIROS_TIME_INFINITE));
        EXPECT_EQ(1u, packet.key);
        EXPECT_STATUS(0, kairos_process_kill(process, 77));
        EXPECT_EQ(77, exit_code_of(process));
    }
}

// ---- Again and again ----------------------------------------------------------------------------

ROLE("nothing to do") { return 3; }

TEST("spawned and ended a hundred times, nothing grows") {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(3, run_role("nothing to do"));
}
