// Processes that hold much of everything, killed: all of it comes back to their budgets, to the
// byte, and whoever has a timer meanwhile loses none of its periods. How long interrupts stay off
// while they are taken down is for `make quiet` to say.
#include "harness.h"
#include "messages.h"
#include "metronome.h"
#include "packets.h"
#include "roles.h"
#include "workers.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = 1 << 30;

// ---- Those that are killed ----------------------------------------------------------------------

// All is there. Sleeps until it is killed.
int stay() {
    if (kairos_object_signal(kairos_bootstrap(KAIROS_BOOT_USER0), 0, kUser0) != 0) return 2;
    kairos_sleep_until(kForever);
    return 3;
}

// A mapping of new memory; null on failure.
volatile char* map_memory(uint64_t size) {
    kairos_handle_t memory = KAIROS_HANDLE_INVALID;
    if (kairos_memory_create(size, 0, &memory) != 0) return nullptr;
    void* address = nullptr;
    const kairos_status_t mapped =
        kairos_map(kairos_self_aspace(), memory, 0, &address, size, KPROT_READ | KPROT_WRITE);
    kairos_handle_close(memory, 0);
    return mapped == 0 ? static_cast<volatile char*>(address) : nullptr;
}

int touch_and_stay(uint64_t size, uint64_t stride) {
    volatile char* memory = map_memory(size);
    if (memory == nullptr) return 4;
    for (uint64_t offset = 0; offset < size; offset += stride) memory[offset] = 1;
    return stay();
}

}  // namespace

ROLE("1 GiB, a page in each 2 MiB") { return touch_and_stay(kGiB, 2 * kMiB); }
ROLE("32 MiB, every page") { return touch_and_stay(32 * kMiB, kPage); }

// Every page in a mapping of its own, and with another protection than its neighbours.
ROLE("2,048 pages, each protected by itself") {
    constexpr uint64_t kSize = 2048 * kPage;
    volatile char* memory = map_memory(kSize);
    if (memory == nullptr) return 4;
    for (uint64_t offset = 0; offset < kSize; offset += kPage) {
        memory[offset] = 1;
        if (offset / kPage % 2 == 0) continue;
        void* page = const_cast<char*>(memory + offset);
        if (kairos_protect(kairos_self_aspace(), page, kPage, KPROT_READ) != 0) return 5;
    }
    return stay();
}

namespace {

// Makes one or two handles, of a kind that `i` chooses. False if there is no room for it.
bool make_something(uint64_t i, kairos_handle_t port) {
    kairos_handle_t one = KAIROS_HANDLE_INVALID;
    kairos_handle_t two = KAIROS_HANDLE_INVALID;
    switch (i % 16) {
        case 0: {
            if (kairos_channel_create(0, &one, &two) != 0) return false;
            const kairos_channel_msg message = message_of("m");
            return kairos_channel_send(one, &message, KCHANNEL_OPT_NONBLOCK, 0) == 0;
        }
        case 1:
            return kairos_port_create(0, &one) == 0;
        case 2:
            return kairos_memory_create(kPage, 0, &one) == 0 &&
                   kairos_memory_write(one, 0, &one, sizeof(one)) == 0;
        case 3:
            return kairos_thread_create(kairos_self_process(), "unstarted", &one) == 0;
        case 4:
        case 5:
            return kairos_handle_duplicate(port, KRIGHT_SAME, &one) == 0;
        default:
            if (i % 2 == 0) {
                return kairos_event_create(&one) == 0 &&
                       kairos_port_bind(port, one, i, kUser0) == 0 &&
                       kairos_object_signal(one, 0, kUser0) == 0;
            }
            return kairos_timer_create(&one) == 0 &&
                   kairos_port_bind(port, one, i, KPORT_BIND_TIMER) == 0 &&
                   kairos_timer_set(one, kairos_clock_now() + i * 10'000, 1'000'000) == 0;
    }
}

}  // namespace

ROLE("4,096 handles of every kind") {
    kairos_handle_t port = KAIROS_HANDLE_INVALID;
    if (kairos_port_create(0, &port) != 0) return 4;
    for (uint64_t i = 0; make_something(i, port); ++i) {}
    kairos_handle_t one = KAIROS_HANDLE_INVALID;
    while (kairos_event_create(&one) == 0) {}
    if (process_info(kairos_self_process()).handles != KHANDLE_MAX_PER_PROCESS) return 5;
    return stay();
}

namespace {

constexpr uint32_t kThreads = 1000;
uint32_t futex_word = 0;
kairos_handle_t waited_for[3];  // an event, a port, an endpoint

void sleep_somehow(void* number) {
    uint32_t revents = 0;
    kairos_port_packet packet;
    kairos_channel_msg message{};
    switch (reinterpret_cast<uintptr_t>(number) % 6) {
        case 0:
            kairos_sleep_until(kForever);
            return;
        case 1:
            kairos_futex_wait(&futex_word, 0, kForever);
            return;
        case 2:
            kairos_object_wait(waited_for[0], KAIROS_POLLIN, kForever, &revents);
            return;
        case 3:
            kairos_port_wait(waited_for[1], &packet, 1, 0, kForever);
            return;
        case 4:
            kairos_channel_recv(waited_for[2], &message, 0, kForever);
            return;
        default:
            kairos_sleep_until(kairos_clock_now() + 1'000'000'000'000);
    }
}

}  // namespace

ROLE("1,000 threads") {
    kairos_handle_t other = KAIROS_HANDLE_INVALID;
    if (kairos_event_create(&waited_for[0]) != 0 || kairos_port_create(0, &waited_for[1]) != 0 ||
        kairos_channel_create(0, &waited_for[2], &other) != 0) {
        return 4;
    }
    for (uintptr_t i = 1; i < kThreads; ++i) {
        if (kairos_thread_spawn(sleep_somehow, reinterpret_cast<void*>(i), nullptr) != 0) return 5;
    }
    return stay();
}

namespace {

// Fills the way to `to` with messages that carry as many events as they can.
bool fill_with_events(kairos_handle_t to) {
    while (true) {
        kairos_handle_t handles[KCHANNEL_MAX_MSG_HANDLES];
        for (kairos_handle_t& handle : handles) {
            if (kairos_event_create(&handle) != 0) return false;
        }
        const kairos_channel_msg message = message_of("m", 2, handles, KCHANNEL_MAX_MSG_HANDLES);
        const kairos_status_t sent = kairos_channel_send(to, &message, KCHANNEL_OPT_NONBLOCK, 0);
        if (sent == 0) continue;
        for (const kairos_handle_t handle : handles) kairos_handle_close(handle, 0);
        return sent == -EAGAIN;
    }
}

}  // namespace

// Each channel lies in the queue of the next.
ROLE("full queues within queues") {
    kairos_handle_t within[2] = {};
    for (int depth = 0; depth < 100; ++depth) {
        kairos_handle_t ends[2];
        if (kairos_channel_create(0, &ends[0], &ends[1]) != 0) return 4;
        if (depth != 0) {
            const kairos_channel_msg message = message_of("q", 2, within, 2);
            if (kairos_channel_send(ends[0], &message, KCHANNEL_OPT_NONBLOCK, 0) != 0) return 5;
        }
        if (depth % 10 == 0 && (!fill_with_events(ends[0]) || !fill_with_events(ends[1]))) return 6;
        within[0] = ends[0];
        within[1] = ends[1];
    }
    return stay();
}

// ---- Killing them -------------------------------------------------------------------------------

namespace {

uint64_t used_of(kairos_handle_t budget) {
    return info_of<kairos_info_budget>(budget, KAIROS_INFO_BUDGET).used;
}

// What a process has of a budget is back when the last thing that it was charged to is freed, which
// may be on another hart.
void wait_until_unused(kairos_handle_t budget) {
    while (used_of(budget) != 0) kairos_yield();
}

// Lets `role` take what it wants out of `bytes`, and kills it.
void kill_when_ready(const char* role, uint64_t bytes) {
    Owned budget;
    REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, bytes, budget.out()));
    const Owned port = make_port();
    {
        const Owned event = make_event();
        REQUIRE_STATUS(0, kairos_port_bind(port, event, 1, kUser0));
        Owned copy = duplicate(event);
        const Owned process = spawn_role(role, {{KAIROS_BOOT_USER0, copy}}, budget);
        static_cast<void>(copy.release());
        REQUIRE_STATUS(0, kairos_port_bind(port, process, 2, KPORT_BIND_TERMINATED));
        kairos_port_packet packet;
        REQUIRE_STATUS(1, next_packet(port, packet));
        if (!EXPECT_EQ(1u, packet.key)) EXPECT_EQ(0, exit_code_of(process));
        EXPECT(used_of(budget) > kMiB);
        const Metronome metronome;
        EXPECT_STATUS(0, kairos_process_kill(process, 41));
        EXPECT_EQ(41, exit_code_of(process));
        metronome.hear_of_all();
    }
    wait_until_unused(budget);
}

}  // namespace

TEST("1 GiB of addresses, a page touched in each 2 MiB") {
    kill_when_ready("1 GiB, a page in each 2 MiB", 16 * kMiB);
}
TEST("32 MiB, all of it touched") { kill_when_ready("32 MiB, every page", 40 * kMiB); }
TEST("2,048 mappings of a page each") {
    kill_when_ready("2,048 pages, each protected by itself", 16 * kMiB);
}
TEST("as many handles as there can be, of every kind") {
    kill_when_ready("4,096 handles of every kind", 32 * kMiB);
}
TEST("1,000 threads asleep in every way") { kill_when_ready("1,000 threads", 40 * kMiB); }
TEST("full queues, with handles, within queues") {
    kill_when_ready("full queues within queues", 32 * kMiB);
}

// ---- Page tables --------------------------------------------------------------------------------

// A page, and tables on both sides for it, in every 2 MiB.
ROLE("touches as far apart as it can") {
    touch_and_stay(64 * kGiB, 2 * kMiB);
    return 6;
}

// The same page everywhere: tables only.
ROLE("maps as far apart as it can") {
    kairos_handle_t memory = KAIROS_HANDLE_INVALID;
    if (kairos_memory_create(kPage, 0, &memory) != 0) return 4;
    for (uint64_t at = 16 * kGiB; at < 128 * kGiB; at += 2 * kMiB) {
        void* address = reinterpret_cast<void*>(at);
        const kairos_status_t mapped =
            kairos_map(kairos_self_aspace(), memory, 0, &address, kPage, KPROT_READ | KPROT_WRITE);
        if (mapped == -EEXIST) continue;
        if (mapped != 0) return mapped == -EDQUOT ? -EFAULT : 5;
        *static_cast<volatile char*>(address) = 1;
    }
    return 6;
}

TEST("page tables until the budget is spent: others go on, all of it comes back") {
    for (const char* role : {"touches as far apart as it can", "maps as far apart as it can"}) {
        Owned budget;
        REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, 4 * kMiB, budget.out()));
        {
            const Owned event = make_event();
            Owned copy = duplicate(event);
            const Owned process = spawn_role(role, {{KAIROS_BOOT_USER0, copy}}, budget);
            static_cast<void>(copy.release());
            // Meanwhile another goes on as ever.
            do {
                const Owned memory = make_memory(16 * kPage);
                void* address = nullptr;
                REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address, 16 * kPage,
                                             KPROT_READ | KPROT_WRITE));
                for (uint64_t page = 0; page < 16; ++page) {
                    static_cast<volatile char*>(address)[page * kPage] = 1;
                }
                REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), address, 16 * kPage));
                kairos_yield();
            } while (ready(process, POLLIN) == 0);
            EXPECT_EQ(-EFAULT, exit_code_of(process));
        }
        const uint64_t peak = info_of<kairos_info_budget>(budget, KAIROS_INFO_BUDGET).peak;
        EXPECT(peak > 4 * kMiB - 4 * kPage && peak <= 4 * kMiB);
        wait_until_unused(budget);
    }
}

// ---- Many who wait ------------------------------------------------------------------------------

namespace {

constexpr uint32_t kWaiters = 300;
std::atomic<uint32_t> went_on;
kairos_handle_t awaited;

// Every one of them sleeps in `wait`, when this returns. Ends of threads are not waited for.
void let_many_sleep(void (*wait)(void*), kairos_handle_t (&threads)[kWaiters]) {
    went_on = 0;
    for (kairos_handle_t& thread : threads) {
        REQUIRE_STATUS(0, kairos_thread_spawn(wait, nullptr, &thread));
    }
    for (const kairos_handle_t thread : threads) REQUIRE(wait_until_blocked(thread));
}

void join_all(const kairos_handle_t (&threads)[kWaiters]) {
    for (const kairos_handle_t thread : threads) {
        REQUIRE_STATUS(0, kairos_thread_join(thread, kForever));
        REQUIRE_STATUS(0, kairos_handle_close(thread, 0));
    }
    EXPECT_EQ(kWaiters, went_on.load());
}

kairos_handle_t waiting_threads[kWaiters];

}  // namespace

TEST("three hundred threads wait for one channel: its closing wakes all") {
    Channel channel;
    awaited = channel.b;
    let_many_sleep(
        [](void*) {
            kairos_channel_msg message{};
            if (EXPECT_STATUS(0, kairos_channel_recv(awaited, &message, 0, kForever))) {
                ++went_on;
            }
        },
        waiting_threads);
    const Metronome metronome;
    channel.a.close();
    join_all(waiting_threads);
    metronome.hear_of_all();
}

TEST("three hundred threads wait for one event: closing it wakes all") {
    Owned event = make_event();
    awaited = event;
    let_many_sleep(
        [](void*) {
            uint32_t revents = 0;
            if (EXPECT_STATUS(-ECANCELED,
                              kairos_object_wait(awaited, KAIROS_POLLIN, kForever, &revents))) {
                ++went_on;
            }
        },
        waiting_threads);
    const Metronome metronome;
    event.close();
    join_all(waiting_threads);
    metronome.hear_of_all();
}

TEST("three hundred threads wait for one timer: it wakes all") {
    Owned timer = make_timer();
    awaited = timer;
    let_many_sleep(
        [](void*) {
            uint32_t revents = 0;
            if (EXPECT_STATUS(0, kairos_object_wait(awaited, KAIROS_POLLIN, kForever, &revents))) {
                ++went_on;
            }
        },
        waiting_threads);
    const Metronome metronome;
    REQUIRE_STATUS(0, kairos_timer_set(timer, kairos_clock_now(), 0));
    join_all(waiting_threads);
    metronome.hear_of_all();
}

TEST("three hundred threads wait for one futex: one call wakes all") {
    futex_word = 0;
    let_many_sleep(
        [](void*) {
            if (EXPECT_STATUS(0, kairos_futex_wait(&futex_word, 0, kForever))) ++went_on;
        },
        waiting_threads);
    const Metronome metronome;
    futex_word = 1;
    EXPECT_STATUS(kWaiters, kairos_futex_wake(&futex_word, UINT32_MAX));
    join_all(waiting_threads);
    metronome.hear_of_all();
}

// ---- Many to look at ----------------------------------------------------------------------------

TEST("a list of all objects among two thousand: periods are kept meanwhile") {
    static Owned events[2000];
    for (Owned& event : events) event = make_event();
    static kairos_object_entry entries[2500];
    const kairos_handle_t resource = kairos_bootstrap(KAIROS_BOOT_RESOURCE);
    {
        const Metronome metronome;
        const kairos_status_t all = kairos_system_list(resource, 0, 0, entries, std::size(entries));
        EXPECT(all > 2000 && all < static_cast<kairos_status_t>(std::size(entries)));
        // Hardly any of them is one of these.
        const kairos_status_t processes =
            kairos_system_list(resource, KOBJ_TYPE_PROCESS, 0, entries, std::size(entries));
        EXPECT(processes >= 2);
        metronome.hear_of_all();
    }
    for (Owned& event : events) event.close();
}

TEST("two thousand packets in one call") {
    constexpr uint32_t kEvents = 2000;
    static Owned events[kEvents];
    static kairos_port_packet packets[kEvents + 1];
    const Owned port = make_port();
    for (Owned& event : events) {
        event = make_event();
        REQUIRE_STATUS(0, kairos_port_bind(port, event, 1, kUser0));
        REQUIRE_STATUS(0, kairos_object_signal(event, 0, kUser0));
    }
    {
        const Metronome metronome;
        EXPECT_STATUS(kEvents, kairos_port_wait(port, packets, kEvents + 1, 0, kForever));
        metronome.hear_of_all();
    }
    EXPECT_NO_PACKET(port);
    for (Owned& event : events) event.close();
}
