// Processes made with the bare kernel calls: creation in parts, start, exit, kill in every state,
// what TERMINATED promises.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "roles.h"
#include "tiny.h"
#include "workers.h"

namespace {

constexpr kairos_handle_t kNone = KAIROS_HANDLE_INVALID;

// A thread of the process, and not the process as a whole, is what ends here.
void wait_for_end(kairos_handle_t handle) {
    uint32_t revents = 0;
    REQUIRE_STATUS(0, kairos_object_wait(handle, 0, kForever, &revents));
    EXPECT_EQ(POLLHUP, revents);
}

}  // namespace

// ---- Creation
// ------------------------------------------------------------------------------------

TEST("create: errors in their order") {
    const BadPointers bad;
    auto* name = static_cast<const char*>(bad.kernel());
    auto* unreachable = static_cast<const char*>(bad.unreachable());
    kairos_handle_t process = 77;
    kairos_handle_t space = 78;
    EXPECT_STATUS(-EFAULT, kairos_process_create(name, closed_handle(), &process, &space));
    EXPECT_STATUS(-EFAULT, kairos_process_create(unreachable, closed_handle(), &process, &space));
    EXPECT_STATUS(-EFAULT, kairos_process_create(nullptr, kNone, &process, &space));
    EXPECT_STATUS(-EBADF, kairos_process_create("p", closed_handle(), &process, &space));
    EXPECT_STATUS(-ENOTSUP, kairos_process_create("p", make_event(), &process, &space));
    EXPECT_EQ(77u, process);
    EXPECT_EQ(78u, space);
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_process_create("p", kNone, out, &space));
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_process_create("p", kNone, &process, out));
}

TEST("create: names are cut where they do not fit, and end before a bad page") {
    const Pages pages;
    char* name = pages.end() - 4;
    memcpy(name, "abc", 4);
    Owned process;
    Owned space;
    EXPECT_STATUS(0, kairos_process_create(name, kNone, process.out(), space.out()));
    char* unended = pages.end() - 4;
    memcpy(unended, "abcd", 4);
    kairos_handle_t out0 = 77;
    kairos_handle_t out1 = 77;
    EXPECT_STATUS(-EFAULT, kairos_process_create(unended, kNone, &out0, &out1));
    EXPECT_EQ(77u, out0);
    char long_name[200];
    memset(long_name, 'n', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = 0;
    EXPECT_STATUS(0, kairos_process_create(long_name, kNone, process.out(), space.out()));
    Owned thread;
    EXPECT_STATUS(0, kairos_thread_create(process, long_name, thread.out()));
    const kairos_info_thread info = thread_info(thread);
    EXPECT_EQ(31u, strnlen(info.name, sizeof(info.name)));
}

TEST("a new process has no handle, no mapping and no thread") {
    const TinyProcess tiny;
    const kairos_info_process info = process_info(tiny.process);
    EXPECT_EQ(KAIROS_PROCESS_NEW, info.state);
    EXPECT_EQ(0u, info.handles);
    EXPECT_EQ(0u, info.threads);
    EXPECT_EQ(0u, info.fds);
    EXPECT_EQ(KAIROS_THREAD_NEW, thread_info(tiny.thread).state);
    EXPECT_EQ(id_of(tiny.process), thread_info(tiny.thread).process_id);
}

TEST("processes and spaces that are never used") {
    for (int i = 0; i < 20; ++i) {
        Owned process;
        Owned space;
        Owned thread;
        REQUIRE_STATUS(0, kairos_process_create("idle", kNone, process.out(), space.out()));
        if (i % 2 == 0) REQUIRE_STATUS(0, kairos_thread_create(process, "t", thread.out()));
        if (i % 3 == 0) space.close();
        if (i % 5 == 0) process.close();
    }
}

TEST("a process that never ran ends with its last handle") {
    const Channel channel;
    TinyProcess tiny;
    const Owned copy = duplicate(tiny.process);
    tiny.process.close();
    EXPECT_EQ(KAIROS_PROCESS_NEW, process_info(copy).state);
    tiny.process = duplicate(copy);
    tiny.set_code(tiny_exit, tiny_exit_end);
    tiny.start({}, 9);
    EXPECT_EQ(9, tiny.exit_code());
}

// ---- Start
// ---------------------------------------------------------------------------------------

TEST("start: errors in their order") {
    TinyProcess tiny;
    TinyProcess other;
    tiny.set_code(tiny_exit, tiny_exit_end);
    const Owned unmanaged = without(tiny.process, KRIGHT_MANAGE);
    const Owned unmanaged_thread = without(tiny.thread, KRIGHT_MANAGE);
    Owned event = make_event();
    const Owned rooted = without(event, KRIGHT_TRANSFER);
    const kairos_handle_t closed = closed_handle();
    const auto start = [](kairos_handle_t process, kairos_handle_t thread, kairos_handle_t give) {
        return kairos_process_start(process, thread, kTinyCode, kTinyStackTop, give, 0);
    };
    EXPECT_STATUS(-EBADF, start(closed, tiny.thread, event));
    EXPECT_STATUS(-ENOTSUP, start(event, tiny.thread, event));
    EXPECT_STATUS(-EACCES, start(unmanaged, tiny.thread, event));
    EXPECT_STATUS(-EBADF, start(tiny.process, closed, event));
    EXPECT_STATUS(-ENOTSUP, start(tiny.process, event, event));
    EXPECT_STATUS(-EACCES, start(tiny.process, unmanaged_thread, event));
    EXPECT_STATUS(-EBADF, start(tiny.process, tiny.thread, closed));
    EXPECT_STATUS(-EACCES, start(tiny.process, tiny.thread, rooted));
    EXPECT_STATUS(-EINVAL, start(tiny.process, other.thread, event));
    EXPECT(is_valid(event));
    EXPECT_EQ(KAIROS_PROCESS_NEW, process_info(tiny.process).state);
    // All that was wrong is put right: the same process can still be started.
    tiny.start(std::move(event), 4);
    EXPECT_EQ(4, tiny.exit_code());
}

TEST("start: only once, only a process that lives") {
    TinyProcess tiny;
    tiny.set_code(tiny_spin, tiny_spin_end);
    Owned second;
    REQUIRE_STATUS(0, kairos_thread_create(tiny.process, "second", second.out()));
    // A further thread waits for the first.
    EXPECT_STATUS(-EINVAL, kairos_thread_start(second, kTinyCode, kTinyStackTop, 0, 0));
    tiny.start();
    EXPECT_STATUS(-EINVAL, tiny.try_start());
    Owned event = make_event();
    EXPECT_STATUS(-EINVAL,
                  kairos_process_start(tiny.process, second, kTinyCode, kTinyStackTop, event, 0));
    EXPECT(is_valid(event));
    REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 1));
    EXPECT_EQ(1, tiny.exit_code());
    EXPECT_STATUS(-ESRCH, kairos_thread_start(second, kTinyCode, kTinyStackTop, 0, 0));
    kairos_handle_t out = 77;
    EXPECT_STATUS(-ESRCH, kairos_thread_create(tiny.process, "late", &out));
    EXPECT_EQ(77u, out);
}

TEST("start: the bootstrap handle moves, and works") {
    Channel channel;
    TinyProcess tiny;
    tiny.prepare_call(
        KAIROS_SYS_channel_send,
        tiny.put(kairos_channel_msg{reinterpret_cast<void*>(kTinyRoom + 100), nullptr, 5, 0, 0}));
    const char text[] = "hello";
    tiny.put(text, 100);
    const kairos_handle_t given = channel.b;
    tiny.start(std::move(channel.b));
    EXPECT(!is_valid(given));
    Inbox inbox;
    EXPECT_STATUS(1, inbox.receive(channel.a));
    EXPECT(inbox.has_text("hello"));
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
    EXPECT_STATUS(0, tiny.data().result);
}

TEST("start: without a bootstrap handle a0 is none") {
    TinyProcess tiny;
    tiny.prepare_call(KAIROS_SYS_handle_close, 0);
    tiny.start();
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
    EXPECT_STATUS(-EBADF, tiny.data().result);
}

// ---- Ends
// ----------------------------------------------------------------------------------------

TEST("exit codes have 64 bits") {
    for (const int64_t code :
         {int64_t{0}, int64_t{1}, int64_t{-1}, INT64_MAX, INT64_MIN, int64_t{0x123456789abcdef}}) {
        TinyProcess tiny;
        tiny.set_code(tiny_exit, tiny_exit_end);
        tiny.start({}, static_cast<uint64_t>(code));
        EXPECT_EQ(code, tiny.exit_code());
        const kairos_info_process info = process_info(tiny.process);
        EXPECT_EQ(code, info.exit_code);
        EXPECT_EQ(KAIROS_PROCESS_ENDED, info.state);
        EXPECT_EQ(0u, info.fault_cause);
        EXPECT_EQ(0u, info.threads);
        EXPECT_EQ(0u, info.handles);
    }
}

TEST("a process ends with its last thread, with code 0") {
    TinyProcess tiny;
    tiny.set_code(tiny_thread_exit, tiny_thread_exit_end);
    Owned second;
    REQUIRE_STATUS(0, kairos_thread_create(tiny.process, "second", second.out()));
    tiny.start({}, KAIROS_SYS_thread_exit);
    wait_for_end(tiny.thread);
    // The second never started, so it was the last.
    EXPECT_EQ(0, tiny.exit_code());
}

TEST("a process does not end while a thread is left") {
    TinyProcess tiny;
    tiny.set_code(tiny_thread_exit, tiny_thread_exit_end);
    // The second spins at a place of its own.
    const Owned code = make_memory();
    REQUIRE_STATUS(
        0, kairos_memory_write(code, 0, tiny_spin, static_cast<size_t>(tiny_spin_end - tiny_spin)));
    void* at = reinterpret_cast<void*>(0x50000);
    REQUIRE_STATUS(0,
                   kairos_map(tiny.space, code, 0, &at, KAIROS_PAGE_SIZE, KPROT_READ | KPROT_EXEC));
    Owned second;
    REQUIRE_STATUS(0, kairos_thread_create(tiny.process, "second", second.out()));
    // The first is started spinning too, and the second then leaves.
    REQUIRE_STATUS(0,
                   kairos_process_start(tiny.process, tiny.thread, 0x50000, kTinyStackTop, 0, 0));
    REQUIRE_STATUS(
        0, kairos_thread_start(second, kTinyCode, kTinyStackTop, 0, KAIROS_SYS_thread_exit));
    wait_for_end(second);
    EXPECT_EQ(KAIROS_PROCESS_RUNNING, process_info(tiny.process).state);
    EXPECT_EQ(1u, process_info(tiny.process).threads);
    EXPECT_EQ(0u, ready(tiny.process, POLLIN));
    REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 3));
    EXPECT_EQ(3, tiny.exit_code());
}

TEST("the first to end a process decides its code") {
    TinyProcess tiny;
    tiny.set_code(tiny_spin, tiny_spin_end);
    tiny.start();
    REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 11));
    REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 12));
    EXPECT_EQ(11, tiny.exit_code());
    EXPECT_STATUS(0, kairos_process_kill(tiny.process, 13));
    EXPECT_EQ(11, tiny.exit_code());
}

TEST("an ended process can be asked any number of times, through any handle") {
    TinyProcess tiny;
    tiny.set_code(tiny_exit, tiny_exit_end);
    const Owned copy = duplicate(tiny.process, KRIGHT_READ | KRIGHT_WAIT);
    tiny.start({}, 21);
    EXPECT_EQ(21, exit_code_of(copy));
    EXPECT_EQ(21, exit_code_of(copy));
    EXPECT_EQ(21, tiny.exit_code());
    int64_t code = 77;
    const Owned blind = duplicate(tiny.process, KRIGHT_WAIT);
    EXPECT_STATUS(-EACCES, kairos_process_wait(blind, kForever, &code));
    const Owned unwaitable = duplicate(tiny.process, KRIGHT_READ);
    EXPECT_STATUS(-EACCES, kairos_process_wait(unwaitable, kForever, &code));
    EXPECT_EQ(77, code);
    EXPECT_STATUS(0, kairos_process_wait(copy, kForever, nullptr));
}

TEST("wait: out of time") {
    TinyProcess tiny;
    tiny.set_code(tiny_spin, tiny_spin_end);
    tiny.start();
    int64_t code = 77;
    EXPECT_STATUS(-ETIMEDOUT, kairos_process_wait(tiny.process, kPast, &code));
    EXPECT_STATUS(-ETIMEDOUT, kairos_process_wait(tiny.process, kairos_clock_now() + 1, &code));
    EXPECT_EQ(77, code);
    REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 0));
    EXPECT_EQ(0, tiny.exit_code());
}

TEST("wait: undisturbed by the end of its handle, but not by its revocation") {
    for (const bool revoked : {false, true}) {
        TinyProcess tiny;
        tiny.set_code(tiny_spin, tiny_spin_end);
        tiny.start();
        Owned handle = duplicate(tiny.process, KRIGHT_READ | KRIGHT_WAIT);
        int64_t code = 77;
        Blocked wait([&code, value = kairos_handle_t{handle}] {
            return kairos_process_wait(value, kForever, &code);
        });
        if (revoked) {
            REQUIRE_STATUS(0, kairos_handle_revoke(tiny.process));
            handle.release();  // it is gone
        } else {
            handle.close();
            REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 31));
        }
        EXPECT_STATUS(revoked ? -ECANCELED : 0, wait.result());
        EXPECT_EQ(revoked ? 77 : 31, code);
        REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 31));
        EXPECT_EQ(31, tiny.exit_code());
    }
}

TEST("wait: bad places for the exit code") {
    const BadPointers bad;
    TinyProcess tiny;
    tiny.set_code(tiny_exit, tiny_exit_end);
    tiny.start({}, 3);
    EXPECT_EQ(3, tiny.exit_code());
    auto* const kernel = static_cast<int64_t*>(bad.kernel());
    auto* const unreachable = static_cast<int64_t*>(bad.unreachable());
    EXPECT_STATUS(-EFAULT, kairos_process_wait(closed_handle(), kForever, kernel));
    EXPECT_STATUS(-EBADF, kairos_process_wait(closed_handle(), kForever, unreachable));
    EXPECT_STATUS(-EFAULT, kairos_process_wait(tiny.process, kForever, unreachable));
    EXPECT_STATUS(0, kairos_process_wait(tiny.process, kForever, nullptr));
}

// ---- Kill
// ----------------------------------------------------------------------------------------

TEST("kill: errors in their order") {
    TinyProcess tiny;
    const Owned unmanaged = without(tiny.process, KRIGHT_MANAGE);
    EXPECT_STATUS(-EBADF, kairos_process_kill(closed_handle(), 1));
    EXPECT_STATUS(-ENOTSUP, kairos_process_kill(tiny.thread, 1));
    EXPECT_STATUS(-EACCES, kairos_process_kill(unmanaged, 1));
    EXPECT_EQ(KAIROS_PROCESS_NEW, process_info(tiny.process).state);
}

TEST("kill: a process that never ran") {
    const Owned port = make_port();
    TinyProcess tiny;
    REQUIRE_STATUS(0, kairos_port_bind(port, tiny.process, 1, KPORT_BIND_TERMINATED));
    REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 5));
    EXPECT_EQ(5, tiny.exit_code());
    EXPECT_PACKET(port, 1, KPORT_BIND_TERMINATED, 1);
    EXPECT_STATUS(-ESRCH, tiny.try_start());
}

TEST("kill: a process that spins, on every hart") {
    for (uint32_t hart = 0; hart < hart_count(); ++hart) {
        TinyProcess tiny;
        tiny.set_code(tiny_count, tiny_count_end);
        pin(hart, tiny.thread);
        tiny.start();
        while (tiny.data().result == 0) kairos_yield();
        REQUIRE_STATUS(0, kairos_process_kill(tiny.process, hart));
        EXPECT_EQ(hart, tiny.exit_code());
        const int64_t counted = tiny.data().result;
        for (int i = 0; i < 100; ++i) kairos_yield();
        EXPECT_EQ(counted, tiny.data().result);
    }
}

TEST("kill: oneself") { EXPECT_EQ(-77, run_role("kills itself")); }

ROLE("kills itself") {
    kairos_process_kill(kairos_self_process(), -77);
    return 2;
}

// Kills a process that is blocked in a call, and looks at what it leaves.
void kill_blocked(const char* what, uint64_t number, Owned bootstrap, uint64_t a1 = 0,
                  uint64_t a2 = 0, uint64_t a3 = 0, uint64_t a4 = 0,
                  kairos_handle_t peer = KAIROS_HANDLE_INVALID) {
    const Owned port = make_port();
    TinyProcess tiny;
    REQUIRE_STATUS(0, kairos_port_bind(port, tiny.process, 1, KPORT_BIND_TERMINATED));
    // Every message that is sent or received here has its header, or its room, at kTinyRoom.
    tiny.prepare_call(number, a1, a2, a3, a4);
    tiny.start(std::move(bootstrap));
    if (!EXPECT(wait_until_blocked(tiny.thread))) harness::print("    in %s", what);
    REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 99));
    EXPECT_EQ(99, tiny.exit_code());
    EXPECT_EQ(0u, tiny.data().returned);
    EXPECT_PACKET(port, 1, KPORT_BIND_TERMINATED, 1);
    EXPECT_NO_PACKET(port);
    wait_for_end(tiny.thread);
    if (peer != KAIROS_HANDLE_INVALID) EXPECT_EQ(POLLHUP, ready(peer, 0));
}

TEST("kill: a process with many threads, some asleep, some busy") {
    TinyProcess tiny;
    tiny.prepare_plain_call(KAIROS_SYS_futex_wait, kTinyRoom, 0, UINT64_MAX);
    Owned threads[12];
    const Owned code = make_memory();
    REQUIRE_STATUS(
        0, kairos_memory_write(code, 0, tiny_spin, static_cast<size_t>(tiny_spin_end - tiny_spin)));
    void* at = reinterpret_cast<void*>(0x50000);
    REQUIRE_STATUS(0,
                   kairos_map(tiny.space, code, 0, &at, KAIROS_PAGE_SIZE, KPROT_READ | KPROT_EXEC));
    for (Owned& thread : threads) {
        REQUIRE_STATUS(0, kairos_thread_create(tiny.process, "one of many", thread.out()));
    }
    tiny.start();
    int number = 0;
    for (const Owned& thread : threads) {
        const uint64_t entry = ++number % 3 == 0 ? 0x50000 : kTinyCode;
        // A third is never started.
        if (number % 3 != 1) {
            REQUIRE_STATUS(0, kairos_thread_start(thread, entry, kTinyStackTop, 0, 0));
        }
    }
    EXPECT(wait_until_blocked(tiny.thread));
    EXPECT_EQ(9u, process_info(tiny.process).threads);
    REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 31));
    EXPECT_EQ(31, tiny.exit_code());
    EXPECT_EQ(0u, process_info(tiny.process).threads);
    number = 0;
    for (const Owned& thread : threads) {
        if (++number % 3 != 1) wait_for_end(thread);
    }
}

TEST("kill: in every blocking call") {
    constexpr uint64_t kRoom = kTinyRoom;
    constexpr uint64_t kNever = UINT64_MAX;
    {
        Channel c;
        kill_blocked("recv", KAIROS_SYS_channel_recv, std::move(c.b), kRoom, 0, kNever, 0, c.a);
    }
    {
        Channel c;
        kill_blocked("an armed recv", KAIROS_SYS_channel_recv, std::move(c.b), kRoom,
                     KCHANNEL_OPT_RENDEZVOUS, kNever, 0, c.a);
    }
    {
        Channel c;
        fill_queue(c.b);
        kill_blocked("send", KAIROS_SYS_channel_send, std::move(c.b), kRoom, 0, kNever, 0);
        EXPECT_EQ(KCHANNEL_MAX_QUEUE, drain_queue(c.a));
        EXPECT_EQ(POLLHUP, ready(c.a, 0));
    }
    {
        Channel c;
        kill_blocked("call", KAIROS_SYS_channel_call, std::move(c.b), kRoom, kRoom + 100, kNever);
        EXPECT_EQ(1u, drain_queue(c.a));
    }
    {
        Channel c;
        kill_blocked("reply_recv", KAIROS_SYS_channel_reply_recv, std::move(c.b), 0, kRoom, kNever,
                     0, c.a);
    }
    {
        Channel c;
        kill_blocked("read", KAIROS_SYS_object_read, std::move(c.b), kRoom, 8, 0, 0, c.a);
    }
    {
        Channel c;
        kill_blocked("object_wait", KAIROS_SYS_object_wait, std::move(c.b), POLLIN, kNever, kRoom,
                     0, c.a);
    }
    for (const uint64_t number : {KAIROS_SYS_sleep_until, KAIROS_SYS_futex_wait}) {
        TinyProcess tiny;
        if (number == KAIROS_SYS_sleep_until) tiny.prepare_plain_call(number, kNever);
        if (number == KAIROS_SYS_futex_wait) tiny.prepare_plain_call(number, kRoom, 0, kNever);
        tiny.start();
        EXPECT(wait_until_blocked(tiny.thread));
        REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 98));
        EXPECT_EQ(98, tiny.exit_code());
        EXPECT_EQ(0u, tiny.data().returned);
    }
    kill_blocked("port_wait", KAIROS_SYS_port_wait, make_port(KPORT_CREATE_TRANSFERABLE), kRoom, 1,
                 0, kNever);
}
