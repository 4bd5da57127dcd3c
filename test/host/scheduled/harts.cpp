#include "hosted/harts.h"

#include <cstdlib>
#include <utility>

#include "arch/hart.h"
#include "hosted/fiber.h"
#include "hosted/machine.h"
#include "object/graveyard.h"
#include "object/reclaim.h"
#include "sched/scheduler.h"
#include "sync/hart.h"
#include "syscall/tables.h"

namespace hosted {

namespace {

struct RunState {
    Fiber* resume = nullptr;  // where the hart goes on
    bool resting = false;     // idle, until an interrupt comes
    bool spinning = false;    // since the hart that runs was chosen
};

RunState states[kRunningHarts];
Fiber* test_fiber = nullptr;
Chooser* chooser = nullptr;
bool started = false;
bool stuck = false;
uint64_t spins_in_a_row = 0;   // of all harts together
uint64_t points_in_a_row = 0;  // of the one that runs
std::function<void()> happening_then;

// Longer than any hart waits for another one that makes progress.
constexpr uint64_t kPatience = 200'000;
// Points after which a hart that looks busy is taken to wait for another one.
constexpr uint64_t kTurn = 2'000;

uint64_t bit(uint32_t hart) { return uint64_t{1} << hart; }

bool may_go_on(uint32_t hart) { return !states[hart].resting || interrupt_pending({hart}); }

// Those that may go on, but for one.
uint64_t able_without(uint32_t hart) {
    uint64_t able = happening_then ? bit(kHappening) : 0;
    for (uint32_t i = 0; i < kRunningHarts; ++i) {
        if (i != hart && may_go_on(i)) able |= bit(i);
    }
    return able;
}

// Leaves the fiber that runs for that of another hart, or for the test.
void go_to(uint32_t from, uint32_t to) {
    Fiber& own = *states[from].resume;
    if (to == kTestHart.value) {
        enter_hart(kTestHart);
        Fiber::change(own, *test_fiber);
    } else {
        enter_hart({to});
        Fiber::change(own, *states[to].resume);
    }
    enter_hart({from});
}

void happen() { std::exchange(happening_then, nullptr)(); }

void reach(Point at, uint32_t hart) {
    const bool may_stay = at != Point::kSpin && at != Point::kIdle;
    while (true) {
        const bool stay = may_stay || (at == Point::kIdle && may_go_on(hart));
        const uint64_t able = able_without(hart) | (stay ? bit(hart) : 0);
        if (able == 0) {
            // Everybody idles. What somebody spins for has come, or never will.
            if (at == Point::kIdle) go_to(hart, kTestHart.value);
            return;
        }
        const uint32_t next = chooser->choose(at, hart, able);
        if (next == kHappening) {
            happen();
            continue;
        }
        if (next != hart) {
            points_in_a_row = 0;
            go_to(hart, next);
        }
        return;
    }
}

uint32_t current() { return this_hart().index.value; }

void spin() {
    if (!running_harts()) return;
    points_in_a_row = 0;
    if (++spins_in_a_row > kPatience) {
        stuck = true;
        go_to(current(), kTestHart.value);
    }
    reach(Point::kSpin, current());
}

void rest() {
    const uint32_t hart = current();
    states[hart].resting = true;
    reach(Point::kIdle, hart);
    states[hart].resting = false;
    spins_in_a_row = 0;
}

void start_harts(Budget& root) {
    on_relax = spin;
    on_idle = rest;
    on_window = [] { point(Point::kWindow); };
    for (uint32_t i = 0; i < kHarts; ++i) {
        enter_hart({i});
        this_hart().thread = &Thread::create_idle(root);
        if (i == kTestHart.value) continue;
        states[i].resume = &Fiber::take([] { Scheduler::run(); });
    }
    test_fiber = &Fiber::take_for_this_stack();
}

}  // namespace

// ---- Points that the kernel's code reaches ------------------------------------------------------

// The linker leads calls of note_lock_taken() here (mk/test.mk).
extern "C" {
void __real__Z15note_lock_taken8LockRank(LockRank rank);
void __wrap__Z15note_lock_taken8LockRank(LockRank rank);

void __wrap__Z15note_lock_taken8LockRank(LockRank rank) {
    point(rank < LockRank::kRegistry ? Point::kLock : Point::kInnerLock);
    __real__Z15note_lock_taken8LockRank(rank);
}
}

uint32_t InTurn::choose(Point, uint32_t now, uint64_t able) {
    if ((able >> now & 1) != 0) return now;
    for (uint32_t step = 1; step <= 32; ++step) {
        const uint32_t next = (now + step) % 32;
        if ((able >> next & 1) != 0) return next;
    }
    std::abort();
}

bool running_harts() { return chooser != nullptr; }

void point(Point at) {
    if (!running_harts()) return;
    if (++points_in_a_row >= kTurn && able_without(current()) != 0) return spin();
    spins_in_a_row = 0;
    reach(at, current());
}

RunEnd run_harts(Chooser& by, std::function<void()> happening) {
    chooser = &by;
    stuck = false;
    spins_in_a_row = 0;
    happening_then = std::move(happening);
    // Each looks whether there is something for it.
    for (RunState& state : states) state.resting = false;
    uint64_t able = able_without(kTestHart.value) & ~bit(kHappening);
    const uint32_t first = chooser->choose(Point::kIdle, kTestHart.value, able);
    enter_hart({first});
    Fiber::change(*test_fiber, *states[first].resume);
    enter_hart(kTestHart);
    chooser = nullptr;
    happening_then = nullptr;
    return stuck ? RunEnd::kStuck : RunEnd::kQuiet;
}

void run_to_quiet() {
    InTurn in_turn;
    // What the test has let go of is taken down here, what that leads to by the harts.
    for (int round = 0; round < 3; ++round) {
        Graveyard::drain();
        Reclaim::quiescent();
        while (Reclaim::free_a_piece()) {}
        run_harts(in_turn);
    }
}

Budget& scheduled_kernel() {
    Budget& root = kernel();
    if (!std::exchange(started, true)) {
        choose_system_call_tables(false);
        start_harts(root);
    }
    enter_hart(kTestHart);
    return root;
}

}  // namespace hosted
