// Threads: creation, start, join, interrupt, affinity, priority, storage of their own.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "tiny.h"
#include "workers.h"

namespace {

thread_local uint64_t counter = 40;
thread_local char zeroed[100];
thread_local uint64_t* own_address = nullptr;

}  // namespace

// ---- Creation
// ------------------------------------------------------------------------------------

TEST("create: errors in their order") {
    const BadPointers bad;
    const Owned unmanaged = without(kairos_self_process(), KRIGHT_MANAGE);
    const kairos_handle_t closed = closed_handle();
    auto* kernel = static_cast<char*>(bad.kernel());
    auto* kernel_out = static_cast<kairos_handle_t*>(bad.kernel());
    auto* unreachable = static_cast<kairos_handle_t*>(bad.unreachable());
    EXPECT_STATUS(-EFAULT, kairos_thread_create(closed, kernel, unreachable));
    EXPECT_STATUS(-EFAULT, kairos_thread_create(closed, "t", kernel_out));
    EXPECT_STATUS(-EBADF, kairos_thread_create(closed, "t", unreachable));
    EXPECT_STATUS(-ENOTSUP, kairos_thread_create(kairos_self_thread(), "t", unreachable));
    EXPECT_STATUS(-EACCES, kairos_thread_create(unmanaged, "t", unreachable));
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_thread_create(kairos_self_process(), "t", out));
}

TEST("start: errors in their order") {
    Owned thread;
    REQUIRE_STATUS(0, kairos_thread_create(kairos_self_process(), "t", thread.out()));
    const Owned unmanaged = without(thread, KRIGHT_MANAGE);
    EXPECT_STATUS(-EBADF, kairos_thread_start(closed_handle(), 0, 0, 0, 0));
    EXPECT_STATUS(-ENOTSUP, kairos_thread_start(kairos_self_process(), 0, 0, 0, 0));
    EXPECT_STATUS(-EACCES, kairos_thread_start(unmanaged, 0, 0, 0, 0));
    // One that runs, this one.
    EXPECT_STATUS(-EINVAL, kairos_thread_start(kairos_self_thread(), 0, 0, 0, 0));
    EXPECT_EQ(KAIROS_THREAD_NEW, thread_info(thread).state);
}

TEST("threads that are never started") {
    const uint32_t before = process_info(kairos_self_process()).threads;
    for (int i = 0; i < 20; ++i) {
        Owned thread;
        REQUIRE_STATUS(0, kairos_thread_create(kairos_self_process(), "t", thread.out()));
        EXPECT_EQ(0u, ready(thread, POLLIN));
    }
    EXPECT_EQ(before, process_info(kairos_self_process()).threads);
}

TEST("a thread knows its process, its priority and its name") {
    Owned thread;
    REQUIRE_STATUS(0, kairos_thread_create(kairos_self_process(), "a name", thread.out()));
    const kairos_info_thread info = thread_info(thread);
    EXPECT_EQ(id_of(kairos_self_process()), info.process_id);
    EXPECT_EQ(KPRIORITY_USUAL, info.priority);
    EXPECT_EQ(0, strcmp(info.name, "a name"));
    EXPECT_EQ(KAIROS_THREAD_NEW, info.state);
}

// ---- Spawn and join
// ------------------------------------------------------------------------------

TEST("spawn: errors, and no function") {
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EINVAL, kairos_thread_spawn(nullptr, nullptr, &out));
    EXPECT_EQ(77u, out);
}

TEST("spawn: nobody joins, nothing is left") {
    static std::atomic<int> ran;
    ran = 0;
    for (int i = 0; i < 20; ++i) {
        REQUIRE_STATUS(0, kairos_thread_spawn([](void*) { ran.fetch_add(1); }, nullptr, nullptr));
    }
    while (ran.load() != 20 || process_info(kairos_self_process()).threads != 1) kairos_yield();
}

TEST("join: any number of times, by anybody, and it closes nothing") {
    Owned thread;
    REQUIRE_STATUS(0, kairos_thread_spawn([](void*) {}, nullptr, thread.out()));
    EXPECT_STATUS(0, kairos_thread_join(thread, kForever));
    EXPECT_STATUS(0, kairos_thread_join(thread, kForever));
    EXPECT_STATUS(0, kairos_thread_join(thread, kPast));
    Worker other([&] { EXPECT_STATUS(0, kairos_thread_join(thread, kForever)); });
    other.join();
    EXPECT(is_valid(thread));
    EXPECT_EQ(KAIROS_THREAD_ENDED, thread_info(thread).state);
}

TEST("join: errors") {
    EXPECT_STATUS(-EBADF, kairos_thread_join(closed_handle(), kPast));
    std::atomic<bool> go{false};
    Worker worker([&] {
        while (!go.load()) kairos_yield();
    });
    EXPECT_STATUS(-ETIMEDOUT, kairos_thread_join(worker.thread(), kPast));
    EXPECT_STATUS(-ETIMEDOUT, kairos_thread_join(worker.thread(), kairos_clock_now() + 1000));
    const Owned unwaitable = without(worker.thread(), KRIGHT_WAIT);
    EXPECT_STATUS(-EACCES, kairos_thread_join(unwaitable, kPast));
    go = true;
    EXPECT_STATUS(0, kairos_thread_join(worker.thread(), kForever));
}

TEST("join: interrupted") {
    std::atomic<bool> go{false};
    Worker worker([&] {
        while (!go.load()) kairos_yield();
    });
    Blocked joiner([&] { return kairos_thread_join(worker.thread(), kForever); });
    joiner.interrupt();
    EXPECT_STATUS(-EINTR, joiner.result());
    go = true;
}

TEST("many threads, one after the other and at once") {
    static std::atomic<uint32_t> ran;
    ran = 0;
    const auto run = [](void*) { ran.fetch_add(1); };
    for (int i = 0; i < 200; ++i) {
        Owned thread;
        REQUIRE_STATUS(0, kairos_thread_spawn(run, nullptr, thread.out()));
        EXPECT_STATUS(0, kairos_thread_join(thread, kForever));
    }
    Owned threads[32];
    for (Owned& thread : threads) {
        REQUIRE_STATUS(0, kairos_thread_spawn(run, nullptr, thread.out()));
    }
    for (const Owned& thread : threads) EXPECT_STATUS(0, kairos_thread_join(thread, kForever));
    EXPECT_EQ(232u, ran.load());
    // The memory of the last that ended is kept, and that of no other.
}

// ---- Storage of their own
// ------------------------------------------------------------------------

TEST("thread-local storage: fresh, zeroed, and of this thread") {
    counter = 1000;
    zeroed[3] = 'm';
    const auto check = [] {
        EXPECT_EQ(40u, counter);
        for (const char byte : zeroed) EXPECT_EQ('\0', byte);
        own_address = &counter;
        zeroed[3] = 'w';
        for (int i = 0; i < 1000; ++i) {
            ++counter;
            if (i % 100 == 0) kairos_yield();
        }
        EXPECT_EQ(1040u, counter);
        EXPECT_EQ(own_address, &counter);
    };
    {
        Worker one(check);
        Worker two(check);
        Worker three(check);
    }
    EXPECT_EQ(1000u, counter);
    EXPECT_EQ('m', zeroed[3]);
}

TEST("errno is each thread's own, and no kairos call touches it") {
    errno = 7;
    EXPECT_STATUS(-EBADF, kairos_handle_close(0, 0));
    EXPECT_EQ(7, errno);
    Worker worker([] {
        EXPECT_EQ(0, errno);
        errno = 9;
        kairos_yield();
        EXPECT_EQ(9, errno);
    });
    worker.join();
    EXPECT_EQ(7, errno);
}

TEST("each thread has its own handle to itself") {
    uint64_t id = 0;
    kairos_handle_t self = KAIROS_HANDLE_INVALID;
    Worker worker([&] {
        self = kairos_self_thread();
        id = id_of(self);
    });
    const uint64_t expected = id_of(worker.thread());
    worker.join();
    EXPECT_EQ(expected, id);
    EXPECT(id != id_of(kairos_self_thread()));
    // Closed with the thread.
    EXPECT(!is_valid(self));
}

// ---- Interrupt
// -----------------------------------------------------------------------------------

TEST("interrupt: errors in their order") {
    const Owned unmanaged = without(kairos_self_thread(), KRIGHT_MANAGE);
    EXPECT_STATUS(-EBADF, kairos_thread_interrupt(closed_handle()));
    EXPECT_STATUS(-ENOTSUP, kairos_thread_interrupt(kairos_self_process()));
    EXPECT_STATUS(-EACCES, kairos_thread_interrupt(unmanaged));
}

TEST("interrupt: of a thread that is not blocked, the next call that would") {
    const Channel channel;
    const Owned port = make_port();
    Inbox inbox;
    REQUIRE_STATUS(0, kairos_thread_interrupt(kairos_self_thread()));
    // These do not block.
    EXPECT_STATUS(-EAGAIN, inbox.poll(channel.a));
    EXPECT_STATUS(-ETIMEDOUT, inbox.receive(channel.b, 0, kPast));
    EXPECT_STATUS(0, kairos_sleep_until(kPast));
    EXPECT_STATUS(0, send_text(channel.a, "x"));
    EXPECT_STATUS(1, inbox.receive(channel.b));
    // This would.
    EXPECT_STATUS(-EINTR, inbox.receive(channel.b));
    EXPECT_STATUS(-ETIMEDOUT, inbox.receive(channel.b, 0, kairos_clock_now() + 1000));
    REQUIRE_STATUS(0, kairos_thread_interrupt(kairos_self_thread()));
    EXPECT_STATUS(-EINTR, kairos_sleep_until(kForever));
    REQUIRE_STATUS(0, kairos_thread_interrupt(kairos_self_thread()));
    kairos_port_packet packet;
    EXPECT_STATUS(-EINTR, next_packet(port, packet));
    REQUIRE_STATUS(0, kairos_thread_interrupt(kairos_self_thread()));
    const uint32_t word = 1;
    EXPECT_STATUS(-EINTR, kairos_futex_wait(&word, 1, kForever));
}

TEST("interrupt: twice is once, while nothing blocks") {
    const Channel channel;
    Inbox inbox;
    REQUIRE_STATUS(0, kairos_thread_interrupt(kairos_self_thread()));
    REQUIRE_STATUS(0, kairos_thread_interrupt(kairos_self_thread()));
    EXPECT_STATUS(-EINTR, inbox.receive(channel.b));
    EXPECT_STATUS(-ETIMEDOUT, inbox.receive(channel.b, 0, kairos_clock_now() + 1000));
}

TEST("interrupt: a thread that sleeps, again and again") {
    std::atomic<uint32_t> interrupted{0};
    std::atomic<bool> stop{false};
    Worker sleeper([&] {
        while (!stop.load()) {
            if (kairos_sleep_until(kForever) == -EINTR) interrupted.fetch_add(1);
        }
    });
    for (uint32_t i = 0; i < 200; ++i) {
        sleeper.interrupt();
        while (interrupted.load() <= i) kairos_yield();
    }
    stop = true;
    sleeper.interrupt();
}

TEST("interrupt: of an ended thread, and of one that has not started") {
    Owned thread;
    REQUIRE_STATUS(0, kairos_thread_spawn([](void*) {}, nullptr, thread.out()));
    EXPECT_STATUS(0, kairos_thread_join(thread, kForever));
    EXPECT_STATUS(0, kairos_thread_interrupt(thread));
    REQUIRE_STATUS(0, kairos_thread_create(kairos_self_process(), "t", thread.out()));
    EXPECT_STATUS(0, kairos_thread_interrupt(thread));
}

// ---- Affinity and priority
// -----------------------------------------------------------------------

TEST("affinity: errors in their order") {
    const uint64_t beyond = hart_count() == 64 ? 0 : ~uint64_t{0} << hart_count();
    const Owned unmanaged = without(kairos_self_thread(), KRIGHT_MANAGE);
    for (const uint64_t mask : {uint64_t{0}, beyond, uint64_t{1} << 63}) {
        EXPECT_STATUS(-EINVAL, kairos_thread_set_affinity(kairos_self_thread(), mask));
    }
    EXPECT_STATUS(-EBADF, kairos_thread_set_affinity(closed_handle(), 1));
    EXPECT_STATUS(-ENOTSUP, kairos_thread_set_affinity(kairos_self_process(), 1));
    EXPECT_STATUS(-EACCES, kairos_thread_set_affinity(unmanaged, 1));
    EXPECT_STATUS(0, kairos_thread_set_affinity(kairos_self_thread(), beyond | 1));
    EXPECT_EQ(1u, thread_info(kairos_self_thread()).affinity & ((uint64_t{2} << 0) - 1));
}

TEST("affinity: moves a thread that runs, sleeps, waits for its turn, has not started") {
    const uint32_t harts = hart_count();
    for (uint32_t hart = 0; hart < harts; ++hart) {
        pin(hart);
        EXPECT_EQ(hart, thread_info(kairos_self_thread()).hart);

        Inbox inbox;
        const Channel channel;
        Worker sleeper([&] {
            if (!EXPECT_STATUS(1, inbox.receive(channel.b))) return;
            EXPECT_EQ(hart, thread_info(kairos_self_thread()).hart);
        });
        sleeper.wait_until_blocked();
        pin(hart, sleeper.thread());
        REQUIRE_STATUS(0, send_text(channel.a, "go"));
        sleeper.join();

        TinyProcess tiny;
        tiny.set_code(tiny_count, tiny_count_end);
        pin(hart, tiny.thread);
        tiny.start();
        while (tiny.data().result == 0) kairos_yield();
        EXPECT_EQ(hart, thread_info(tiny.thread).hart);
        const uint32_t other = (hart + 1) % harts;
        pin(other, tiny.thread);
        while (thread_info(tiny.thread).hart != other) kairos_yield();
        const int64_t counted = tiny.data().result;
        while (tiny.data().result == counted) kairos_yield();
        REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 0));
        tiny.exit_code();
    }
    unpin();
}

TEST("priority: errors in their order") {
    const Owned unmanaged = without(kairos_self_thread(), KRIGHT_MANAGE);
    EXPECT_STATUS(-EINVAL, kairos_thread_set_priority(closed_handle(), KPRIORITY_MAX + 1));
    EXPECT_STATUS(-EINVAL, kairos_thread_set_priority(closed_handle(), UINT32_MAX));
    EXPECT_STATUS(-EBADF, kairos_thread_set_priority(closed_handle(), KPRIORITY_MAX));
    EXPECT_STATUS(-ENOTSUP, kairos_thread_set_priority(kairos_self_process(), 0));
    EXPECT_STATUS(-EACCES, kairos_thread_set_priority(unmanaged, 0));
}

TEST("priority: the higher one runs, on one hart") {
    std::atomic<bool> pinned{false};
    std::atomic<bool> over{false};
    std::atomic<uint64_t> ran{0};
    Worker lower([&] {
        pin(0);
        pinned = true;
        while (!over.load()) ran.fetch_add(1);
    });
    while (!pinned.load()) kairos_yield();
    pin(0);
    // In real time, so that the other is not lent a turn now and then.
    REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), KPRIORITY_REAL_TIME));
    EXPECT_EQ(KPRIORITY_REAL_TIME, thread_info(kairos_self_thread()).priority);
    const uint64_t before = ran.load();
    for (int i = 0; i < 1000; ++i) kairos_yield();
    EXPECT_EQ(before, ran.load());
    over = true;
    REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), KPRIORITY_USUAL));
    unpin();
    lower.join();
}

TEST("priority: a real-time thread that wakes runs at once") {
    pin(0);
    const Channel channel;
    std::atomic<bool> woke{false};
    Worker urgent([&] {
        pin(0);
        REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), KPRIORITY_REAL_TIME));
        Inbox inbox;
        EXPECT_STATUS(1, inbox.receive(channel.b));
        woke = true;
    });
    urgent.wait_until_blocked();
    REQUIRE_STATUS(0, send_text(channel.a, "now"));
    EXPECT(woke.load());
    unpin();
}
