// A hostile process in a budget of its own takes as much as it can get of one thing, again and
// again, while a client calls a server. The pair makes its calls, every one without an error, and
// gets its turns; when the hostile process has been killed its budget is whole again, and so is
// everything else (leaks.h).
//
// Nothing is timed. That the pair gets its turns is counted on one hart, where the two sides take
// turns and nothing else: what the hostile process can do while a call is made has a bound.
#include "harness.h"
#include "messages.h"
#include "packets.h"
#include "roles.h"
#include "workers.h"

#include <kairos/syscalls.h>

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kHostileBudget = 4 * kMiB;
constexpr uint32_t kCalls = 300;
// Operations of the hostile process for each call of the pair, on one hart. Of those that take
// turns fairly, a call has the time of some ten; this is far beyond, and far below what a pair
// would see that waits for somebody's turn to end at each step.
constexpr uint64_t kMostOperationsPerCall = 2'000;
constexpr kairos_rights_t kAll = KRIGHT_SAME;

// What the hostile process has done, for the test to see.
struct Progress {
    std::atomic<uint64_t> operations;
    std::atomic<uint64_t> refusals;  // how often there was no more to be had
};

Progress* map_progress(kairos_handle_t memory) {
    void* address = nullptr;
    REQUIRE_STATUS(
        0, kairos_map(kairos_self_aspace(), memory, 0, &address, kPage, KPROT_READ | KPROT_WRITE));
    return static_cast<Progress*>(address);
}

// ---- The pair -----------------------------------------------------------------------------------

// The test itself is hostile to nobody; it runs before all others to see them go on.
void watch_from_above() {
    REQUIRE_STATUS(0, kairos_thread_set_priority(kairos_self_thread(), KPRIORITY_USUAL + 1));
}

uint32_t harts() {
    const auto system =
        info_of<kairos_info_system>(kairos_bootstrap(KAIROS_BOOT_RESOURCE), KAIROS_INFO_SYSTEM);
    return system.harts;
}

void wait_until_refused(const Progress& progress) {
    while (progress.refusals.load() == 0) kairos_sleep_until(kairos_clock_now() + 1'000'000);
}

kairos_info_budget numbers(kairos_handle_t budget) {
    return info_of<kairos_info_budget>(budget, KAIROS_INFO_BUDGET);
}

void stand_a_flood(const char* role) {
    watch_from_above();
    const Owned budget = [] {
        Owned made;
        REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, kHostileBudget, made.out()));
        return made;
    }();
    const Owned memory = make_memory();
    Progress* progress = map_progress(memory);
    {
        Owned shown = duplicate(memory);
        Owned resource =
            duplicate(kairos_bootstrap(KAIROS_BOOT_RESOURCE), KRIGHT_READ | KRIGHT_TRANSFER);
        const Owned hostile = spawn_role(
            role,
            {{KAIROS_BOOT_USER0, shown.release()}, {KAIROS_BOOT_USER0 + 1, resource.release()}},
            budget);
        wait_until_refused(*progress);
        Channel channel;
        const Owned server = spawn_role("serves", {{KAIROS_BOOT_USER0, channel.a.release()}});
        const uint64_t before = progress->operations.load();
        const Owned client = spawn_role("calls", {{KAIROS_BOOT_USER0, channel.b.release()}});
        EXPECT_EQ(0, exit_code_of(client));
        const uint64_t operations = progress->operations.load() - before;
        EXPECT_EQ(0, exit_code_of(server));
        if (harts() == 1) EXPECT(operations < kCalls * kMostOperationsPerCall);
        EXPECT_EQ(kHostileBudget, numbers(budget).limit);
        REQUIRE_STATUS(0, kairos_process_kill(hostile, 0));
        exit_code_of(hostile);
    }
    for (int i = 0; i < 20'000 && numbers(budget).used != 0; ++i) kairos_yield();
    EXPECT_EQ(0u, numbers(budget).used);
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), progress, kPage));
}

// ---- The hostile process ------------------------------------------------------------------------

[[gnu::noinline]] void touch_stack() {
    volatile char stack[32 * 1024];
    for (size_t i = 0; i < sizeof(stack); i += 512) stack[i] = 1;
}

// Does `take()` until it is refused, and `drop()` then, for ever. Never returns.
template <typename Take, typename Drop>
[[noreturn]] void flood(Take take, Drop drop) {
    touch_stack();  // to need no page when there is none to be had
    Progress& progress = *map_progress(kairos_bootstrap(KAIROS_BOOT_USER0));
    while (true) {
        kairos_status_t status = 0;
        while (status >= 0) {
            status = take();
            progress.operations.fetch_add(1, std::memory_order_relaxed);
        }
        progress.refusals.fetch_add(1);
        drop();
    }
}

// What is refused goes on being asked for: nothing is ever given back.
template <typename Take>
[[noreturn]] void keep_flooding(Take take) {
    flood(take, [] {});
}

constexpr uint32_t kMostHandles = 4'000;
kairos_handle_t held[kMostHandles];
uint32_t held_count = 0;

kairos_status_t hold(kairos_status_t status, kairos_handle_t handle) {
    if (status >= 0) held[held_count++] = handle;
    return held_count == kMostHandles ? -EMFILE : status;
}

void close_all() {
    while (held_count > 0) kairos_handle_close(held[--held_count], 0);
}

char large[KCHANNEL_MAX_MSG_BYTES];

}  // namespace

ROLE("serves") {
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_USER0);
    char bytes[64];
    kairos_channel_msg reply{};
    for (const kairos_channel_msg* answer = nullptr;; answer = &reply) {
        kairos_channel_msg request = message_of(bytes, sizeof(bytes));
        const kairos_status_t status =
            kairos_channel_reply_recv(channel, answer, &request, kForever);
        if (status == 0) return 0;
        if (status != 1) return 1;
        reply = message_of(bytes, request.num_bytes, nullptr, 0, request.txid);
    }
}

// 0: every call was answered.
ROLE("calls") {
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_USER0);
    for (uint32_t i = 0; i < kCalls; ++i) {
        uint32_t answer = 0;
        const kairos_channel_msg request = message_of(&i, sizeof(i));
        kairos_channel_msg reply = message_of(&answer, sizeof(answer));
        if (kairos_channel_call(channel, &request, &reply, kForever) != 1) return 1;
        if (answer != i || reply.num_bytes != sizeof(i)) return 2;
    }
    return 0;
}

// ---- Handles and objects ------------------------------------------------------------------------

ROLE("sprays handles") {
    const kairos_handle_t event = make_event().release();
    flood(
        [&] {
            kairos_handle_t copy;
            const kairos_status_t status = kairos_handle_duplicate(event, kAll, &copy);
            return hold(status, copy);
        },
        close_all);
}
TEST("handles: duplicated until the table or the budget is full") {
    stand_a_flood("sprays handles");
}

ROLE("duplicates duplicates, and revokes them") {
    const kairos_handle_t event = make_event().release();
    kairos_handle_t last = event;
    flood(
        [&] {
            kairos_handle_t copy;
            const kairos_status_t status = kairos_handle_duplicate(last, kAll, &copy);
            if (status >= 0) last = copy;
            return hold(status, copy);
        },
        [&] {
            kairos_handle_revoke(event);
            held_count = 0;
            last = event;
        });
}
TEST("handles: a chain of thousands, revoked from its beginning") {
    stand_a_flood("duplicates duplicates, and revokes them");
}

ROLE("makes processes") {
    flood(
        [] {
            Owned space;
            kairos_handle_t process;
            const kairos_status_t status =
                kairos_process_create("hostile", KAIROS_HANDLE_INVALID, &process, space.out());
            return hold(status, process);
        },
        close_all);
}
TEST("processes: made until there are no more") { stand_a_flood("makes processes"); }

ROLE("carves budgets") {
    flood(
        [] {
            kairos_handle_t budget;
            const kairos_status_t status = kairos_budget_create(KAIROS_HANDLE_INVALID, 1, &budget);
            return hold(status, budget);
        },
        close_all);
}
TEST("budgets: carved until nothing is left") { stand_a_flood("carves budgets"); }

// ---- Channels -----------------------------------------------------------------------------------

ROLE("parks messages") {
    flood(
        [] {
            static kairos_handle_t end = KAIROS_HANDLE_INVALID;
            const kairos_channel_msg message = message_of(large, sizeof(large));
            if (held_count != 0) {
                const kairos_status_t sent =
                    kairos_channel_send(end, &message, KCHANNEL_OPT_NONBLOCK, kForever);
                if (sent != -EAGAIN) return sent;
            }
            kairos_handle_t other;
            const kairos_status_t status = kairos_channel_create(0, &end, &other);
            if (status < 0) return status;
            hold(0, other);
            return hold(0, end);
        },
        close_all);
}
TEST("messages: full queues of the largest") { stand_a_flood("parks messages"); }

ROLE("puts channels into channels") {
    static kairos_handle_t outer = KAIROS_HANDLE_INVALID;
    static kairos_handle_t inner = KAIROS_HANDLE_INVALID;
    flood(
        [] {
            if (outer == KAIROS_HANDLE_INVALID) return kairos_channel_create(0, &outer, &inner);
            // Both ends of what there is go into a new one.
            kairos_handle_t ends[2];
            const kairos_status_t made = kairos_channel_create(0, &ends[0], &ends[1]);
            if (made < 0) return made;
            kairos_handle_t both[2] = {outer, inner};
            const kairos_status_t sent = send_handles(ends[0], both, 2);
            if (sent < 0) {
                for (const kairos_handle_t end : ends) kairos_handle_close(end, 0);
                return sent;
            }
            outer = ends[0];
            inner = ends[1];
            return sent;
        },
        [] {
            kairos_handle_close(outer, 0);
            kairos_handle_close(inner, 0);
            outer = inner = KAIROS_HANDLE_INVALID;
        });
}
TEST("channels: in each other, as deep as can be") { stand_a_flood("puts channels into channels"); }

// ---- Memory -------------------------------------------------------------------------------------

// Touched by the kernel, which says so when there is no page table to be had.
ROLE("sprays page tables") {
    static const kairos_handle_t memory = make_memory().release();
    constexpr uint64_t kStride = 2 * kMiB;
    constexpr uint64_t kBegin = uint64_t{1} << 30;
    static uint64_t count = 0;
    flood(
        [] {
            void* address = reinterpret_cast<void*>(kBegin + count * kStride);
            const kairos_status_t mapped = kairos_map(kairos_self_aspace(), memory, 0, &address,
                                                      kPage, KPROT_READ | KPROT_WRITE);
            if (mapped < 0) return mapped;
            ++count;
            return kairos_memory_read(memory, 0, address, 8);
        },
        [] {
            kairos_unmap(kairos_self_aspace(), reinterpret_cast<void*>(kBegin), count * kStride);
            count = 0;
        });
}
TEST("memory: a page in every 2 MiB") { stand_a_flood("sprays page tables"); }

ROLE("clones memory") {
    constexpr uint64_t kSize = 64 * kPage;
    static const kairos_handle_t memory = make_memory(kSize).release();
    for (uint64_t at = 0; at < kSize; at += kPage) kairos_memory_write(memory, at, large, 8);
    flood(
        [] {
            kairos_handle_t clone;
            const kairos_status_t status = kairos_memory_clone(memory, 0, kSize, 0, &clone);
            return hold(status, clone);
        },
        close_all);
}
TEST("memory: clones of clones of everything") { stand_a_flood("clones memory"); }

ROLE("touches all it can") {
    static const kairos_handle_t memory = make_memory(uint64_t{1} << 30).release();
    static uint64_t at = 0;
    flood(
        [] {
            at += kPage;
            return kairos_memory_write(memory, at - kPage, large, 8);
        },
        [] { at = 0; });
}
TEST("memory: every page there is") { stand_a_flood("touches all it can"); }

// ---- Threads, timers, ports ---------------------------------------------------------------------

// Threads that need no stack, which they might not get: they call for ever what they are given,
// with one argument and zeros.
extern "C" const char floods_call_for_ever[];
asm(".text\n .balign 4\n .hidden floods_call_for_ever\n .globl floods_call_for_ever\n"
    "floods_call_for_ever:\n mv s0, a0\n mv s1, a1\n"
    "1: mv a0, s0\n li a1, 0\n li a2, -1\n mv a7, s1\n ecall\n j 1b\n");

kairos_status_t call_for_ever(uint64_t number, const void* argument) {
    Owned thread;
    const kairos_status_t made = kairos_thread_create(kairos_self_process(), "busy", thread.out());
    if (made < 0) return made;
    return kairos_thread_start(thread, reinterpret_cast<uintptr_t>(floods_call_for_ever), 0,
                               reinterpret_cast<uintptr_t>(argument), number);
}

ROLE("makes threads") {
    keep_flooding([] { return call_for_ever(KAIROS_SYS_yield, nullptr); });
}
TEST("threads: as many as can be, none of them ever idle") { stand_a_flood("makes threads"); }

ROLE("waits with all threads it can have") {
    static uint32_t word = 0;
    static bool full = false;
    keep_flooding([]() -> kairos_status_t {
        full = full || call_for_ever(KAIROS_SYS_futex_wait, &word) < 0;
        if (!full) return 0;
        const kairos_status_t woken = kairos_futex_wake(&word, UINT32_MAX);
        return woken == 0 ? -EAGAIN : woken;
    });
}
TEST("futexes: hundreds of waiters, woken all at once") {
    stand_a_flood("waits with all threads it can have");
}

ROLE("arms timers") {
    static const kairos_handle_t port = make_port().release();
    static bool full = false;
    keep_flooding([]() -> kairos_status_t {
        constexpr uint64_t kPeriod = 1'000;
        kairos_handle_t timer = KAIROS_HANDLE_INVALID;
        if (!full) full = kairos_timer_create(&timer) < 0;
        if (full) {
            kairos_port_packet packets[16];
            const kairos_status_t got = kairos_port_wait(port, packets, 16, 0, kForever);
            return got >= 16 ? -EAGAIN : got;
        }
        kairos_port_bind(port, timer, 1, KPORT_BIND_TIMER);
        return kairos_timer_set(timer, kairos_clock_now(), kPeriod);
    });
}
TEST("timers: thousands that never stop to expire") { stand_a_flood("arms timers"); }

ROLE("binds and signals") {
    static const kairos_handle_t port = make_port().release();
    flood(
        [] {
            kairos_handle_t event = KAIROS_HANDLE_INVALID;
            const kairos_status_t status = kairos_event_create(&event);
            if (status < 0) return status;
            kairos_port_bind(port, event, held_count, kUser0);
            kairos_object_signal(event, 0, kUser0);
            return hold(status, event);
        },
        close_all);
}
TEST("ports: thousands of bindings, all with a packet") { stand_a_flood("binds and signals"); }

// ---- The trace ----------------------------------------------------------------------------------

ROLE("reads the trace") {
    static const kairos_handle_t resource = kairos_bootstrap(KAIROS_BOOT_USER0 + 1);
    static kairos_trace_record records[512];
    keep_flooding([]() -> kairos_status_t {
        static uint64_t rounds = 0;
        if (++rounds % 64 == 0) return -EAGAIN;
        return kairos_trace_read(resource, 0, 0, records, std::size(records));
    });
}
TEST("trace: read without end") { stand_a_flood("reads the trace"); }
