// Memory that other harts may still be looking at. A hart that found an object in a handle table
// uses it without counting a reference until it next leaves the kernel, switches threads or idles
// (a quiescent point). So memory that was reachable that way is *retired*: it is freed after every
// hart has passed a quiescent point. That costs the hot paths nothing; harts that stay busy in
// user mode are nudged by an IPI, idle ones have nothing to look at.
//
//     retire ──> next batch ──start──> current batch, waits for {harts that run}
//                                        each passes ──> the last one frees it, starts the next
#pragma once

#include <atomic>
#include <cstdint>

#include "base/types.h"

struct Retired {
    Retired* next = nullptr;
    void (*free)(Retired&) = nullptr;
};

class Reclaim {
  public:
    // Hands over memory that nobody can find any more; `free` runs later, on some hart, in bounded
    // time, with no lock held.
    static void retire(Retired& item, void (*free)(Retired&));
    // This hart holds no pointer that it found without counting: called on the way out to user
    // mode when there is work, in every interrupt, and before idling.
    static void quiescent();
    // Begins a grace period if no other hart has to be interrupted for it.
    static void start_if_free();
    // Frees, a piece at a time, what has waited long enough on this hart. False: nothing to do.
    static bool free_a_piece();
    // Returns when all that was retired before has been freed. No lock, no borrowed pointer. May
    // be preempted.
    static void drain();
    // Returns when every hart has passed a quiescent point since the call. As drain().
    static void wait();
    // This hart begins and ends idling, in which it holds no pointer. False: it has something to
    // free first, and does not sleep on it.
    [[nodiscard]] static bool enter_idle();
    static void leave_idle();
    // Debug builds: every hart idles, and nothing is retired that has not been freed; and how often
    // any hart has ended idling. Where both are as before, nothing has happened in between.
    static bool at_rest();
    static uint64_t wakes();
};
