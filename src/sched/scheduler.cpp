#include "sched/scheduler.h"

#include <algorithm>
#include <utility>

#include "arch/smp.h"
#include "arch/time.h"
#include "base/bits.h"
#include "object/budget_audit.h"
#include "object/graveyard.h"
#include "object/reclaim.h"
#include "sched/watchdog.h"
#include "sync/injection.h"
#include "sync/preemption.h"
#include "trace/counters.h"
#include "trace/records.h"
#include "wait/parking.h"

constinit std::atomic<uint64_t> Scheduler::idle_harts_{0};
constinit PerHart<Scheduler> Scheduler::schedulers_;
constinit PerHart<RunQueue> Scheduler::run_queues_;

namespace {
constexpr uint64_t kSliceNanoseconds = 4'000'000;
constexpr uint32_t kSlicesPerLoan = 32;

void note_switch(const Thread& from, const Thread& to) {
    const auto from_id = static_cast<uint64_t>(from.id());
    const auto to_id = static_cast<uint64_t>(to.id());
    const auto state = static_cast<uint64_t>(from.state());
    if (to.is_idle()) {
        trace<TraceEvent::idle>(from_id, to_id, state);
    } else {
        trace<TraceEvent::switch_to>(from_id, to_id, state, to.priority());
    }
}

constexpr uint64_t bit_of(HartIndex hart) { return uint64_t{1} << hart.value; }
void ask_for(uint32_t work) { this_hart().block.attention |= work; }
}  // namespace

Thread& current_thread() { return *this_hart().thread; }

uint64_t current_thread_id() {
    const Thread* thread = this_hart().thread;
    return thread == nullptr ? 0 : static_cast<uint64_t>(thread->id());
}

// ---- Between harts ------------------------------------------------------------------------------

template <Thread* Thread::*kNext>
bool Scheduler::Inbox<kNext>::push(Thread& thread) {
    Thread* first = first_.load(std::memory_order_relaxed);
    do {
        thread.*kNext = first;
    } while (!first_.compare_exchange_weak(first, &thread, std::memory_order_seq_cst));
    return first == nullptr;
}

template <Thread* Thread::*kNext>
Thread* Scheduler::Inbox<kNext>::take_all() {
    if (empty()) return nullptr;
    Thread* in_order = nullptr;
    for (Thread* at = first_.exchange(nullptr, std::memory_order_acquire); at != nullptr;) {
        Thread* next = at->*kNext;
        at->*kNext = in_order;
        in_order = std::exchange(at, next);
    }
    return in_order;
}

void Scheduler::interrupt(HartIndex hart) {
    count(Counter::sched_ipis);
    arch::send_ipi(Harts::at(hart));
}

// Gives a ready thread that is in no queue to another hart.
void Scheduler::send_to(HartIndex hart, Thread& thread) {
    thread.home_.store(hart.value, std::memory_order_release);
    idle_harts_.fetch_and(~bit_of(hart), std::memory_order_relaxed);
    Scheduler& scheduler = schedulers_.at(hart);
    scheduler.migrated_here_.fetch_add(1, std::memory_order_relaxed);
    count(Counter::sched_migrations);
    trace<TraceEvent::migrate>(static_cast<uint64_t>(thread.id()), hart.value);
    if (scheduler.released_.push(thread)) interrupt(hart);
}

// An idle hart that may run the thread, else this one, else any that may.
HartIndex Scheduler::place(const Thread& thread) {
    const uint64_t allowed = thread.affinity() & Harts::mask();
    const uint64_t idle = allowed & idle_harts_.load(std::memory_order_relaxed);
    const HartIndex here = this_hart().index;
    if (idle != 0) return {lowest_bit(idle)};
    if ((allowed & bit_of(here)) != 0) return here;
    return {lowest_bit(allowed)};
}

void Scheduler::make_ready(Thread& thread) {
    thread.state_.store(ThreadState::kReady, std::memory_order_relaxed);
    const HartIndex home = thread.home();
    trace<TraceEvent::ready>(static_cast<uint64_t>(thread.id()), home.value);
    if (home == this_hart().index) {
        local().enqueue(thread);
    } else if (schedulers_.at(home).released_.push(thread)) {
        interrupt(home);
    }
}

void Scheduler::start(Thread& thread) {
    thread.keep();
    thread.state_.store(ThreadState::kReady, std::memory_order_relaxed);
    const HartIndex hart = place(thread);
    if (hart == this_hart().index) {
        thread.home_.store(hart.value, std::memory_order_release);
        local().enqueue(thread);
    } else {
        send_to(hart, thread);
    }
}

void Scheduler::poke(Thread& thread) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const HartIndex home = thread.home();
    if (home != this_hart().index) {
        interrupt(home);
    } else if (&thread == this_hart().thread) {
        ask_for(attention::kThread);
    }
}

// A thread that waits in a queue has to be moved by the hart whose queue it is.
void Scheduler::request_adjustment(Thread& thread) {
    if (!thread.adjusting_.set_first()) return;
    thread.retain();
    const HartIndex home = thread.home();
    schedulers_.at(home).adjusted_.push(thread);
    if (home == this_hart().index) {
        local().read_inboxes();
    } else {
        interrupt(home);
    }
}

void Scheduler::adjust(Thread& thread) {
    thread.adjusting_.clear();
    if (thread.home() != this_hart().index) {
        request_adjustment(thread);
    } else if (thread.run_node_.linked()) {
        run_queue().remove(thread);
        enqueue(thread);
    } else if (&thread == this_hart().thread) {
        ask_for(attention::kReschedule);
    }
    thread.release();
}

void Scheduler::set_priority(Thread& thread, uint32_t priority) {
    thread.priority_.store(priority, std::memory_order_release);
    request_adjustment(thread);
}

void Scheduler::set_affinity(Thread& thread, uint64_t mask) {
    thread.affinity_.store(mask, std::memory_order_release);
    request_adjustment(thread);
}

void Scheduler::read_inboxes() {
    for (Thread* at = released_.take_all(); at != nullptr;) {
        Thread& thread = *std::exchange(at, at->next_released_);
        enqueue(thread);
    }
    for (Thread* at = adjusted_.take_all(); at != nullptr;) {
        Thread& thread = *std::exchange(at, at->next_adjusted_);
        adjust(thread);
    }
}

// ---- On this hart -------------------------------------------------------------------------------

void Scheduler::enqueue(Thread& thread) {
    Thread& running = *this_hart().thread;
    if (!thread.allowed_on(this_hart().index) && &thread != &running) {
        send_to(place(thread), thread);
        return;
    }
    run_queue().push_back(thread);
    if (running.is_idle() || &thread == &running) return;  // both look for themselves
    // Whether to switch or to begin a slice is decided on the way out: this may be a deadline that
    // expires, with the queue of deadlines locked.
    if (thread.priority() > running.priority() || !slice_armed_) ask_for(attention::kReschedule);
}

void Scheduler::want_slice() {
    if (slice_armed_) return;
    slice_armed_ = true;
    DeadlineQueue::arm(slice_, {arch::now().nanoseconds + kSliceNanoseconds});
}

void Scheduler::Slice::expire() {
    Scheduler& scheduler = local();
    scheduler.slice_armed_ = false;
    scheduler.slice_over_ = true;
    scheduler.lent_to_ = nullptr;
    ask_for(attention::kReschedule);
}

void Scheduler::share_with_idle_harts() {
    uint64_t idle = idle_harts_.load(std::memory_order_relaxed) & Harts::mask();
    for (; idle != 0; idle &= idle - 1) {
        const HartIndex hart{lowest_bit(idle)};
        Thread* thread = run_queue().first_allowed_on(hart);
        if (thread == nullptr) continue;
        run_queue().remove(*thread);
        send_to(hart, *thread);
    }
}

void Scheduler::reschedule() {
    Scheduler& self = local();
    Thread& running = *this_hart().thread;
    self.read_inboxes();
    const bool turn_over = std::exchange(self.slice_over_, false);
    if (turn_over) self.share_with_idle_harts();

    if (!running.allowed_on(this_hart().index)) {
        running.state_.store(ThreadState::kReady, std::memory_order_relaxed);
        self.send_away_left_ = true;  // by finish_switch, when its registers are saved
        self.switch_away();
        return;
    }
    if (run_queue().empty()) return;
    const uint32_t top = run_queue().top_priority();
    const uint32_t own = running.priority();
    if (turn_over && own < KPRIORITY_REAL_TIME && self.lend_slice(running)) return;
    if (top > own && &running == self.lent_to_ && top < KPRIORITY_REAL_TIME) return;
    if (top > own && turn_over) {
        running.state_.store(ThreadState::kReady, std::memory_order_relaxed);
        run_queue().push_back(running);
        self.switch_away();
    } else if (top > own) {
        running.state_.store(ThreadState::kReady, std::memory_order_relaxed);
        run_queue().push_front(running);
        self.switch_away();
    } else if (turn_over && top == own && own < KPRIORITY_REAL_TIME) {
        yield();
    } else {
        self.want_slice();
    }
}

// The running thread's slice is over: whether the next is lent, to somebody below all that would
// come now.
bool Scheduler::lend_slice(Thread& running) {
    if (++slices_ < kSlicesPerLoan) return false;
    const uint32_t top = std::max(running.priority(), run_queue().top_priority());
    if (top >= KPRIORITY_REAL_TIME) return false;
    Thread* next = run_queue().pop_below(std::min(lent_below_, top));
    if (next == nullptr) next = run_queue().pop_below(top);
    if (next == nullptr) return false;
    slices_ = 0;
    lent_below_ = next->queued_priority_;
    lent_to_ = next;
    running.state_.store(ThreadState::kReady, std::memory_order_relaxed);
    run_queue().push_back(running);
    want_slice();
    switch_to(*next);
    return true;
}

void Scheduler::yield() {
    Scheduler& self = local();
    Thread& running = *this_hart().thread;
    self.read_inboxes();
    if (run_queue().empty() || run_queue().top_priority() < running.priority()) return;
    running.state_.store(ThreadState::kReady, std::memory_order_relaxed);
    run_queue().push_back(running);
    self.switch_away();
}

// Interrupts are let in where a thread leaves its hart: many that wake, find nothing to do and
// sleep again, or end, would keep them off together.
void Scheduler::park(Thread& self) {
    arch::open_interrupt_window();
    self.state_.store(ThreadState::kBlocked, std::memory_order_relaxed);
    local().switch_away();
}

bool Scheduler::may_run_next(const Thread& thread) {
    Scheduler& self = local();
    if (thread.home() != this_hart().index || !thread.allowed_on(this_hart().index)) return false;
    if (!self.released_.empty() || !self.adjusted_.empty()) return false;
    if (run_queue().empty()) return true;
    const uint32_t top = run_queue().top_priority();
    const uint32_t own = thread.priority();
    return top < own || (top == own && own < KPRIORITY_REAL_TIME);
}

// The slice goes on: whoever waits for his turn waits for both of them together.
void Scheduler::park_for(Thread& self, Thread& next) {
    self.state_.store(ThreadState::kBlocked, std::memory_order_relaxed);
    if (!run_queue().empty()) local().want_slice();
    local().switch_to(next);
}

void Scheduler::end_current() {
    arch::open_interrupt_window();
    this_hart().thread->state_.store(ThreadState::kEnded, std::memory_order_relaxed);
    local().switch_away();
    panic("an ended thread ran again");
}

// The current thread is in the run queue, or somebody will make it ready, or it is over.
void Scheduler::switch_away() {
    read_inboxes();
    Thread* next = run_queue().pop();
    if (next == nullptr) next = idle_thread_;
    if (!run_queue().empty()) want_slice();
    if (next == this_hart().thread) {
        next->state_.store(ThreadState::kRunning, std::memory_order_relaxed);
        return;
    }
    this_hart().block.attention &= ~attention::kReschedule;  // this is the best choice now
    switch_to(*next);
}

void Scheduler::switch_to(Thread& next) {
    Thread& running = *this_hart().thread;
    const Instant now = arch::now();
    const uint64_t ran = now.nanoseconds - running.switched_in_.nanoseconds;
    running.time_ns_.store(running.time_ns_.load(std::memory_order_relaxed) + ran,
                           std::memory_order_relaxed);
    if (running.is_idle()) count(Counter::sched_idle_ns, ran);
    count(Counter::sched_switches);
    next.switched_in_ = now;
    next.state_.store(ThreadState::kRunning, std::memory_order_relaxed);
    if (tracing<TraceKind::sched>()) note_switch(running, next);
    switched_from_ = &running;
    this_hart().thread = &next;
    arch::switch_context(running.context_, next.context_);
    finish_switch();  // perhaps on another hart: `this` may not be local() any more
}

void Scheduler::finish_switch() {
    Scheduler& self = local();
    Thread& left = *std::exchange(self.switched_from_, nullptr);
    if (std::exchange(self.send_away_left_, false)) {
        send_to(place(left), left);  // from here on it is another hart's
    } else if (left.state() == ThreadState::kEnded) {
        left.unkeep();
    }
    // Against poke(): it sets its flag before it reads the home that send_to wrote before this.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (this_hart().thread->waiter().may_not_leave()) ask_for(attention::kThread);
}

bool Scheduler::others_idle() {
    const uint64_t others = Harts::mask() & ~bit_of(this_hart().index);
    return (others & ~idle_harts_.load(std::memory_order_relaxed)) == 0;
}

uint64_t Scheduler::idle_ns(HartIndex hart) {
    const uint64_t before = counter_of(Counter::sched_idle_ns, hart);
    const Thread* running = Harts::at(hart).thread;
    if (running == nullptr || !running->is_idle()) return before;
    // An instant behind, if the hart is just leaving its idle thread.
    return before + (arch::now().nanoseconds - running->switched_in_.nanoseconds);
}

// ---- Idle and interrupts ------------------------------------------------------------------------

void Scheduler::on_ipi() {
    local().read_inboxes();
    Reclaim::quiescent();
    if (this_hart().thread->waiter().may_not_leave()) ask_for(attention::kThread);
}

void Scheduler::run() {
    Scheduler& self = local();
    self.idle_thread_ = this_hart().thread;
    this_hart().online.store(true, std::memory_order_release);
    while (true) self.idle();
}

void Scheduler::idle() {
    read_inboxes();
    if (!run_queue().empty()) {
        Watchdog::on_leaving_idle();
        switch_away();
        return;
    }
    if (WaitSource::wake_more() || Graveyard::work_a_piece() || Reclaim::free_a_piece() ||
        Watchdog::work_while_idle()) {
        arch::open_interrupt_window();
        return;
    }
    const uint64_t bit = bit_of(this_hart().index);
    idle_harts_.fetch_or(bit, std::memory_order_seq_cst);
    const bool may_sleep = Reclaim::enter_idle();
    if constexpr (kDebugBuild) {
        if (may_sleep) audit_budgets_at_rest();
    }
    if (may_sleep && released_.empty() && adjusted_.empty() && Graveyard::empty()) {
        arch::idle_until_interrupt();
    }
    Reclaim::leave_idle();
    idle_harts_.fetch_and(~bit, std::memory_order_relaxed);
}

void preemption_point() {
    arch::open_interrupt_window();
    if ((this_hart().block.attention & attention::kReschedule) == 0) return;
    if (this_hart().thread->is_idle()) return;  // looks for itself
    this_hart().block.attention &= ~attention::kReschedule;
    Scheduler::reschedule();
}

// ---- What the wait core asks --------------------------------------------------------------------

Waiter& current_waiter() { return this_hart().thread->waiter(); }
void park(Waiter& self) { Scheduler::park(Thread::of(self)); }
bool may_run_next(const Waiter& claimed) {
    return Scheduler::may_run_next(Thread::of(const_cast<Waiter&>(claimed)));
}
void park_for(Waiter& self, Waiter& next) {
    Scheduler::park_for(Thread::of(self), Thread::of(next));
}
void make_ready(Waiter& waiter) {
    if (kDebugBuild && injected(Injection::kForgottenThread)) return;
    Scheduler::make_ready(Thread::of(waiter));
}
