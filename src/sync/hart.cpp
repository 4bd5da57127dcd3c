// The table of harts, and the lock-order check of debug builds.
#include "sync/hart.h"

#include "sync/injection.h"

#include "arch/backtrace.h"

constinit std::atomic<uint32_t> Harts::count_{0};
constinit Hart Harts::harts_[kMaxHarts];

Hart& Harts::add(uint64_t hardware_id) {
    const uint32_t index = count_.load(std::memory_order_relaxed);
    check(index < kMaxHarts, "more harts than the kernel has room for");
    Hart& hart = harts_[index];
    hart.index = {index};
    hart.hardware_id = hardware_id;
    count_.store(index + 1, std::memory_order_release);
    return hart;
}

void note_quiet_begin(uint64_t function) {
    QuietStretch& quiet = this_hart().quiet;
    quiet.began_in = function;
    quiet.began = arch::retired_instructions();
}

void note_quiet_end() {
    QuietStretch& quiet = this_hart().quiet;
    const uint64_t length = arch::retired_instructions() - quiet.began;
    if (quiet.began == 0 || length <= quiet.longest.load(std::memory_order_relaxed)) return;
    quiet.longest.store(length, std::memory_order_relaxed);
    quiet.longest_in = quiet.began_in;
    quiet.frames = arch::backtrace(quiet.ended_at, QuietStretch::kFrames);
}

void note_lock_taken(LockRank rank) {
    injection_point();
    Hart& hart = this_hart();
    check(hart.held_count == 0 || hart.held_ranks[hart.held_count - 1] < rank,
          "lock taken out of rank");
    check(hart.held_count < 16, "more locks held than a kernel path can need");
    hart.held_ranks[hart.held_count++] = rank;
}

// Locks may be released in any order: the guards of an operation end as its steps do.
void note_lock_released(LockRank rank) {
    Hart& hart = this_hart();
    for (uint32_t i = hart.held_count; i-- > 0;) {
        if (hart.held_ranks[i] != rank) continue;
        for (uint32_t j = i + 1; j < hart.held_count; ++j) {
            hart.held_ranks[j - 1] = hart.held_ranks[j];
        }
        --hart.held_count;
        return;
    }
    panic("released a lock that is not held");
}
