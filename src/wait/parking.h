// What the wait core asks of the scheduler, which lies above it and implements these
// (sched/parking.cpp).
#pragma once

class Waiter;

// The thread that runs on this hart.
Waiter& current_waiter();

// Switches away from the current thread until make_ready is called for it, which may have happened
// already. Interrupts are off and no lock is held.
void park(Waiter& self);

// Whether the thread of a claimed waiter belongs to this hart and nobody comes before it.
bool may_run_next(const Waiter& claimed);

// The same as park, for one who knows who runs next: a claimed waiter of whom may_run_next is true.
// It never sees a run queue.
void park_for(Waiter& self, Waiter& next);

// Puts the thread of a claimed waiter on its hart's run queue. Exactly one caller does this for
// each sleep: the one whose claim won. It takes no lock.
void make_ready(Waiter& waiter);
