// Interrupts: what each kind sets in motion. They come while user code runs, while the hart idles,
// or in a window that kernel code opened, so nothing found without counting is in use.
#include "arch/entry.h"
#include "device/interrupt.h"
#include "ipc/timer.h"
#include "object/reclaim.h"
#include "sched/scheduler.h"
#include "sched/watchdog.h"
#include "trace/counters.h"
#include "wait/deadline.h"

namespace {
void note_interrupt() {
    Watchdog::on_interrupt();
    count(Counter::interrupts);
    Reclaim::quiescent();
}
}  // namespace

void on_timer() {
    note_interrupt();
    DeadlineQueue::fire_due();
    Timer::raise_due();
}

void on_ipi() {
    note_interrupt();
    Scheduler::on_ipi();
}

void on_external_interrupt() {
    note_interrupt();
    Interrupt::on_external();
}
