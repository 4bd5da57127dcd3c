// Harts that run the scheduler, each as fibers of one host thread, so that a test decides at which
// points another one comes in between.
//
// A hart runs until it reaches a *point* (it takes or releases a lock, it lets interrupts in, it
// spins, it has nothing to do; where the kernel is compiled for it, before each atomic operation).
// There the chooser of the run says which hart goes on. A run is over when every hart idles and no
// interrupt waits.
//
// The test itself is the last hart, which never runs threads: it makes things, starts a run, and
// looks at the outcome when nothing moves any more.
#pragma once

#include <cstdint>
#include <functional>

#include "hosted/kernel.h"

namespace hosted {

inline constexpr uint32_t kRunningHarts = kHarts - 1;
inline constexpr HartIndex kTestHart{kHarts - 1};
inline constexpr uint64_t kThreadsMask = (uint64_t{1} << kRunningHarts) - 1;

enum class Point : uint8_t {
    kLock,       // about to take a lock
    kInnerLock,  // the same, of what every operation uses: registry, caches, frames
    kAtomic,     // about to do an atomic operation that others may see
    kWindow,     // interrupts are let in
    kSpin,       // waits for another hart
    kIdle,       // has nothing to do
};

class Chooser {
  public:
    virtual ~Chooser() = default;
    // Which of the `able` harts goes on (a bit for each; at least one). `now` is the one that has
    // reached the point; at kSpin and kIdle it is not among the able ones.
    virtual uint32_t choose(Point point, uint32_t now, uint64_t able) = 0;
};

// The harts go on one after the other, each for as long as it can.
class InTurn final : public Chooser {
  public:
    uint32_t choose(Point point, uint32_t now, uint64_t able) override;
};

// As kernel(), with schedulers on all harts but the test's.
Budget& scheduled_kernel();

// What a run did when it has not ended by itself.
enum class RunEnd : uint8_t { kQuiet, kStuck };

// Lets the harts run until nothing moves. `happening`, if given, is something from outside that
// happens at one point of the run, once, chosen like a hart's turn (as number kHappening). kStuck:
// harts spin for each other for ever.
inline constexpr uint32_t kHappening = 31;
RunEnd run_harts(Chooser& chooser, std::function<void()> happening = nullptr);
// The same, one after the other; and everything that waits to be taken down is.
void run_to_quiet();

// The hart that runs has reached a point.
void point(Point point);
// Whether a run is under way.
bool running_harts();

}  // namespace hosted
