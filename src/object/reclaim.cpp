#include "object/reclaim.h"

#include <utility>

#include "arch/smp.h"
#include "base/container_of.h"
#include "sync/hart.h"
#include "sync/preemption.h"
#include "sync/spin_lock.h"
#include "trace/counters.h"

namespace {

// A chain that is appended to at its end.
struct Chain {
    Retired* first = nullptr;
    Retired* last = nullptr;

    void push(Retired& item) {
        item.next = nullptr;
        (first == nullptr ? first : last->next) = &item;
        last = &item;
    }
    Chain take() { return std::exchange(*this, Chain{}); }
    void append(Chain other) {
        if (other.first == nullptr) return;
        (first == nullptr ? first : last->next) = other.first;
        last = other.last;
    }
};

// How many items are worth an interrupt to the busy harts.
constexpr uint32_t kBatch = 32;

SpinLock lock{LockRank::kReclaim};
Chain next_batch;  // guarded by the lock, as the two below
std::atomic<uint32_t> next_count{0};
Chain current_batch;
std::atomic<uint64_t> waited_for{
    0};  // harts that the current batch waits for; changed under the lock
std::atomic<uint64_t> idle_harts{0};
std::atomic<uint64_t> retired_count{0};  // ever retired, and ever freed
std::atomic<uint64_t> freed_count{0};
std::atomic<uint64_t> wake_count{0};
constinit PerHart<Chain> ready_to_free;  // touched by its own hart alone

uint64_t own_bit() { return uint64_t{1} << this_hart().index.value; }

// Begins waiting for the harts that may hold pointers to the next batch; the lock is held. Returns
// those to nudge.
uint64_t start_batch() {
    current_batch = next_batch.take();
    next_count.store(0, std::memory_order_relaxed);
    // The items were made unreachable before this; a hart that idles now finds nothing when it
    // wakes.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const uint64_t busy = Harts::mask() & ~idle_harts.load(std::memory_order_relaxed);
    waited_for.store(busy | own_bit(), std::memory_order_relaxed);
    return busy & ~own_bit();
}

void nudge(uint64_t harts) {
    for (uint32_t i = 0; harts != 0; ++i, harts >>= 1) {
        if ((harts & 1) == 0) continue;
        count(Counter::sched_ipis);
        arch::send_ipi(Harts::at({i}));
    }
}

// The hart with `bit` has passed; frees the batch here if it was the last.
void pass(uint64_t bit) {
    uint64_t to_nudge = 0;
    {
        LockGuard guard(lock);
        const uint64_t left = waited_for.load(std::memory_order_relaxed) & ~bit;
        waited_for.store(left, std::memory_order_relaxed);
        if (left != 0 || current_batch.first == nullptr) return;
        ready_to_free.local().append(current_batch.take());
        if (next_batch.first != nullptr) to_nudge = start_batch();
    }
    this_hart().block.attention |= attention::kTeardown;
    nudge(to_nudge);
}

void start_if_none_runs(uint32_t at_least) {
    uint64_t to_nudge = 0;
    {
        LockGuard guard(lock);
        if (current_batch.first != nullptr || next_batch.first == nullptr) return;
        if (next_count.load(std::memory_order_relaxed) < at_least) return;
        to_nudge = start_batch();
    }
    this_hart().block.attention |= attention::kTeardown;
    nudge(to_nudge);
}

}  // namespace

void Reclaim::retire(Retired& item, void (*free)(Retired&)) {
    item.free = free;
    retired_count.fetch_add(1, std::memory_order_relaxed);
    {
        LockGuard guard(lock);
        next_batch.push(item);
        next_count.fetch_add(1, std::memory_order_relaxed);
    }
    start_if_none_runs(kBatch);
}

void Reclaim::start_if_free() {
    if (next_count.load(std::memory_order_relaxed) == 0) return;
    const uint64_t others = Harts::mask() & ~own_bit();
    if ((others & ~idle_harts.load(std::memory_order_relaxed)) == 0) start_if_none_runs(1);
}

void Reclaim::quiescent() {
    const uint64_t bit = own_bit();
    if ((waited_for.load(std::memory_order_acquire) & bit) != 0) pass(bit);
}

bool Reclaim::free_a_piece() {
    Chain& chain = ready_to_free.local();
    constexpr int kPiece = 16;
    for (int i = 0; i < kPiece; ++i) {
        Retired* item = chain.first;
        if (item == nullptr) return i > 0;
        chain.first = item->next;
        item->free(*item);
        freed_count.fetch_add(1, std::memory_order_relaxed);
    }
    return true;
}

void Reclaim::drain() {
    const uint64_t goal = retired_count.load(std::memory_order_relaxed);
    while (freed_count.load(std::memory_order_relaxed) < goal) {
        start_if_none_runs(1);
        quiescent();
        free_a_piece();
        preemption_point();
    }
}

void Reclaim::wait() {
    struct Marker {
        Retired retired;
        std::atomic<bool> passed{false};
    } marker;
    retire(marker.retired, [](Retired& retired) {
        container_of(retired, &Marker::retired).passed.store(true, std::memory_order_release);
    });
    while (!marker.passed.load(std::memory_order_acquire)) {
        start_if_none_runs(1);
        quiescent();
        free_a_piece();
        preemption_point();
    }
}

bool Reclaim::enter_idle() {
    idle_harts.fetch_or(own_bit(), std::memory_order_seq_cst);
    start_if_free();
    quiescent();
    return ready_to_free.local().first == nullptr;
}

bool Reclaim::at_rest() {
    return idle_harts.load(std::memory_order_seq_cst) == Harts::mask() &&
           freed_count.load(std::memory_order_acquire) ==
               retired_count.load(std::memory_order_acquire);
}

uint64_t Reclaim::wakes() { return wake_count.load(std::memory_order_seq_cst); }

void Reclaim::leave_idle() {
    if constexpr (kDebugBuild) wake_count.fetch_add(1, std::memory_order_seq_cst);
    idle_harts.fetch_and(~own_bit(), std::memory_order_seq_cst);
}
