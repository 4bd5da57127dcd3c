#include "sched/watchdog.h"

#include "arch/smp.h"
#include "arch/time.h"
#include "base/atomic_flag.h"
#include "object/registry.h"
#include "sched/scheduler.h"
#include "trace/counters.h"
#include "trace/log.h"
#include "trace/warn.h"

uint64_t Watchdog::period_ = 0;
constinit std::atomic<uint32_t> Watchdog::armed_harts_{0};
constinit PerHart<Watchdog> Watchdog::watchdogs_;

namespace {

// The walk over all threads, which idle harts share; one at a time takes a step of it.
AtomicFlag stepping;
// For the one that does:
Instant next_walk{};  // when it begins
ObjectId walked_to = ObjectId::kNone;
bool walking = false;

RateLimit warnings;

constexpr uint32_t bit_of(HartIndex hart) { return uint32_t{1} << hart.value; }

}  // namespace

// ---- Harts --------------------------------------------------------------------------------------

void Watchdog::arm() {
    armed_ = true;
    armed_harts_.fetch_or(bit_of(this_hart().index), std::memory_order_seq_cst);
    DeadlineQueue::arm(turn_, {arch::now().nanoseconds + period_});
}

void Watchdog::begin_to_watch() {
    Watchdog& self = local();
    if (!self.armed_) self.arm();
    // Against rest_if_machine_does: this hart is seen not to idle, or sees that nobody watches.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!is_armed(observer())) Scheduler::interrupt(observer());
}

void Watchdog::on_interrupt() {
    Watchdog& self = local();
    self.signs_.store(self.signs_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (!self.armed_ && period_ != 0) self.arm();
}

void Watchdog::Turn::expire() { this_hart().block.attention |= attention::kWatch; }

void Watchdog::look_at_next_hart() {
    Watchdog& self = local();
    const HartIndex other = after(this_hart().index);
    if (other != this_hart().index) self.check_hart(other);
    self.rest_if_machine_does();
}

void Watchdog::check_hart(HartIndex hart) {
    const uint32_t signs = watchdogs_.at(hart).signs_.load(std::memory_order_relaxed);
    const bool rests = !is_armed(hart) && Scheduler::is_idle(hart);
    if (rests || signs != signs_seen_) {
        signs_seen_ = signs;
        misses_ = 0;
        return;
    }
    if (++misses_ == kPatience) {
        print("watchdog: hart %u has not come back for %lu ms\n", hart.value,
              kPatience * period_ / 1'000'000);
        panic("a hart does not come back");
    }
    Scheduler::interrupt(hart);
}

// Sets the timer again unless nothing has run for so long that every thread has been looked at
// often enough, and nothing runs now.
void Watchdog::rest_if_machine_does() {
    const uint64_t switches = counter_total(Counter::sched_switches);
    quiet_looks_ = switches == switches_seen_ ? quiet_looks_ + 1 : 0;
    switches_seen_ = switches;
    armed_ = false;
    if (quiet_looks_ > kPatience) {
        armed_harts_.fetch_and(~bit_of(this_hart().index), std::memory_order_seq_cst);
        if (Scheduler::others_idle()) return;
    }
    arm();
}

bool Watchdog::work_while_idle() {
    if (period_ == 0) return false;
    uint32_t& attention = this_hart().block.attention;
    if ((attention & attention::kWatch) != 0) {
        attention &= ~attention::kWatch;
        look_at_next_hart();
    }
    if (!stepping.set_first()) return false;
    const bool looked = look_at_a_thread();
    stepping.clear();
    return looked;
}

// ---- Threads ------------------------------------------------------------------------------------

namespace {

// Whether it could go on, by what can be seen of it from outside; the object it sleeps on, if that
// is why.
bool could_go_on(Thread& thread, Ref<Object>& object) {
    const Waiter& waiter = thread.waiter();
    if (!waiter.asleep()) return true;  // somebody has claimed it, and not made it ready
    const Instant until = waiter.sleeps_until();
    if (!until.is_never() && until < arch::now()) return true;
    if (waiter.awaits() == 0) return false;
    object = ObjectRegistry::find(waiter.sleeps_on());
    if (!object) return false;
    LockGuard held(object->guard());
    return (object->readiness() & waiter.awaits()) != 0;
}

}  // namespace

// `stepping` is this hart's.
bool Watchdog::look_at_a_thread() {
    if (!walking) {
        const Instant now = arch::now();
        if (now < next_walk) return false;
        next_walk = {now.nanoseconds + period_};
        walked_to = ObjectId::kNone;
    }
    Ref<Object> found = ObjectRegistry::next(walked_to, ObjectType::kThread);
    walking = static_cast<bool>(found);
    if (!found) return false;
    walked_to = found->id();
    check_thread(static_cast<Thread&>(*found));
    return true;
}

void Watchdog::check_thread(Thread& thread) {
    Ref<Object> object;
    Thread::Watched& watched = thread.watched_;
    const uint64_t ran = thread.time_ns_.load(std::memory_order_relaxed);
    if (thread.state() != ThreadState::kBlocked || ran != watched.ran ||
        !could_go_on(thread, object)) {
        watched = {.ran = ran, .looks = 0};
        return;
    }
    if (++watched.looks != kPatience) return;
    constexpr const char* kWhat = "sleeps although it could go on";
    const auto id = static_cast<uint64_t>(thread.id());
    const auto sleeps_on = static_cast<uint64_t>(thread.waiter().sleeps_on());
    if constexpr (kDebugBuild) {
        print("watchdog: thread %lu '%s' %s; it sleeps on object %lu\n", id, thread.name(), kWhat,
              sleeps_on);
        panic_about(object ? *object : thread, "a thread sleeps although it could go on");
    }
    warn(warnings, "watchdog: thread %lu '%s' %s; it sleeps on object %lu", id, thread.name(),
         kWhat, sleeps_on);
}
