// What the kernel keeps for each hart. A hart finds its own through one register; others are
// reached by index. Fields are written by their own hart only, unless marked.
#pragma once

#include <atomic>
#include <cstdint>

#include "arch/hart.h"
#include "base/types.h"
#include "sync/spin_lock.h"

// Work that waits for a hart's next way out of the kernel (bits of Hart::block.attention).
namespace attention {
inline constexpr uint32_t kReschedule = 1u << 0;  // somebody more important is ready
inline constexpr uint32_t kThread = 1u << 1;      // the current thread was killed or suspended
inline constexpr uint32_t kTeardown = 1u << 2;    // objects wait to be destroyed
inline constexpr uint32_t kWakes = 1u << 3;       // the rest of many waits to be woken
inline constexpr uint32_t kWatch = 1u << 4;       // the watchdog's turn has come
}  // namespace attention

// `make quiet`: the longest stretch of instructions without interrupts, the firmware's included,
// and where it ended. Exact with one hart and -icount; otherwise only a hint.
struct QuietStretch {
    static constexpr uint32_t kFrames = 8;

    uint64_t began = 0;     // the hart's count of instructions
    uint64_t began_in = 0;  // the function that was called then, if one is known
    std::atomic<uint64_t> longest{0};
    uint64_t ended_at[kFrames] = {};  // innermost first; written with `longest`
    uint32_t frames = 0;
    uint64_t longest_in = 0;  // `began_in` of the longest
};

struct Hart {
    arch::HartBlock block;  // first: assembly reaches it through the hart register
    HartIndex index;
    uint64_t hardware_id = 0;
    std::atomic<bool> online{false};  // set by the hart itself when it enters the scheduler

    class Thread* thread = nullptr;  // runs here now (sched/thread.h)

    QuietStretch quiet;

    // Debug builds: held locks, outermost first.
    LockRank held_ranks[16] = {};
    uint32_t held_count = 0;
};

// The thread that runs on this hart, for reports; 0 while there is none. (sched/scheduler.cpp)
uint64_t current_thread_id();

inline Hart& this_hart() { return *reinterpret_cast<Hart*>(arch::hart_block()); }

// All harts that were started, by index.
class Harts {
  public:
    static uint32_t count() { return count_.load(std::memory_order_acquire); }
    static Hart& at(HartIndex index) { return harts_[index.value]; }
    // Makes an entry for one more hart; boot only. Its number is the next free one.
    static Hart& add(uint64_t hardware_id);
    // A bit for each hart that exists.
    static uint64_t mask() { return (uint64_t{1} << count()) - 1; }

  private:
    static std::atomic<uint32_t> count_;
    static Hart harts_[kMaxHarts];
};

// To be called, in pairs, where interrupts have gone off, and where they are about to be let in.
void note_quiet_begin(uint64_t function);
void note_quiet_end();
inline void quiet_begins(uint64_t function = 0) {
    if constexpr (kMeasureBuild) note_quiet_begin(function);
}
inline void quiet_ends() {
    if constexpr (kMeasureBuild) note_quiet_end();
}

// One T for each hart, on cache lines of its own.
template <typename T>
class PerHart {
  public:
    T& local() { return slots_[this_hart().index.value].value; }
    T& at(HartIndex index) { return slots_[index.value].value; }

  private:
    struct alignas(64) Slot {
        T value{};
    };
    Slot slots_[kMaxHarts];
};
