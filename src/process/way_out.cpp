// What happens between the end of kernel work and user mode: teardown, switching,
// stopping, ending.
#include "arch/entry.h"
#include "object/graveyard.h"
#include "object/reclaim.h"
#include "process/process.h"
#include "sched/scheduler.h"
#include "sched/watchdog.h"
#include "sync/hart.h"
#include "sync/preemption.h"

void attend() {
    while (const uint32_t work = this_hart().block.attention) {
        this_hart().block.attention = 0;
        // Nothing that was found without counting is in use any more.
        Reclaim::quiescent();
        if ((work & attention::kWakes) != 0 && WaitSource::wake_more()) preemption_point();
        if ((work & attention::kTeardown) != 0) {
            Graveyard::drain();
            Reclaim::start_if_free();
            Reclaim::quiescent();
            while (Reclaim::free_a_piece()) preemption_point();
        }
        if ((work & attention::kWatch) != 0) Watchdog::look_at_next_hart();
        if ((work & attention::kReschedule) != 0) Scheduler::reschedule();
        while (current_thread().waiter().may_not_leave()) {
            if (current_thread().waiter().killed()) Process::end_current_thread();
            current_thread().stay_while_suspended();
        }
    }
    quiet_ends();
}
