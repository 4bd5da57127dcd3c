#include "sched/thread.h"

#include <cstddef>
#include <new>

#include "arch/time.h"
#include "base/container_of.h"
#include "memory/address_space.h"
#include "object/object_storage.h"
#include "sched/scheduler.h"

void set_name(char (&to)[kNameSize], const char* from) {
    uint32_t length = 0;
    while (length + 1 < kNameSize && from[length] != 0) {
        to[length] = from[length];
        ++length;
    }
    to[length] = 0;
}

Thread::Thread(Surroundings surroundings, mm::KernelStack stack, Charge stack_charge,
               const char* name)
    : Object(kType, nullptr),
      surroundings_(std::move(surroundings)),
      stack_(std::move(stack)),
      stack_charge_(std::move(stack_charge)) {
    set_name(name_, name);
}

Result<Ref<Thread>> Thread::create(Surroundings surroundings, const char* name) {
    Budget& budget = *surroundings.budget;
    Charge charge = TRY(budget.charge(mm::KernelStack::kBytes));
    mm::KernelStack stack = TRY(mm::KernelStack::allocate());
    return ObjectStorage<Thread>::create(budget, std::move(surroundings), std::move(stack),
                                         std::move(charge), name);
}

Thread& Thread::create_idle(Budget& budget) {
    auto thread =
        ObjectStorage<Thread>::create(budget, Surroundings{}, mm::KernelStack{}, Charge{}, "idle");
    check(thread.ok(), "no memory for an idle thread");
    Thread& idle = *thread->leak();
    idle.idle_ = true;
    idle.state_.store(ThreadState::kRunning, std::memory_order_relaxed);
    return idle;
}

void Thread::free_memory() { ObjectStorage<Thread>::free(*this); }

bool Thread::dismantle() {
    arch::drop_fpu(context_);
    stack_ = {};
    stack_charge_.give_back();
    surroundings_.process = nullptr;
    return true;
}

Thread& Thread::of(Waiter& waiter) { return container_of(waiter, &Thread::waiter_); }

bool Thread::begin() {
    ThreadState expected = ThreadState::kNew;
    return state_.compare_exchange_strong(expected, ThreadState::kReady, std::memory_order_acq_rel);
}

void Thread::prepare(VirtualAddress pc, VirtualAddress sp, uint64_t a0, uint64_t a1) {
    arch::prepare_user_context(
        context_, stack_.top(), space().page_table(), [](void*) { Scheduler::finish_switch(); },
        nullptr, pc, sp, a0, a1);
}

void Thread::mark_ended(WakeBatch& batch) {
    ended_ = true;
    stop_watchers_.wake_all(WakeReason::kClose, batch, guard());
    raise(KPORT_BIND_TERMINATED, WakeReason::kHup, batch);
}

uint32_t Thread::readiness() const { return ended_ ? KAIROS_POLLIN | KAIROS_POLLHUP : 0; }

uint32_t Thread::holding_signals() const {
    return user_signals_ | (ended_ ? KPORT_BIND_TERMINATED : 0);
}

kairos_info_thread Thread::describe() const {
    kairos_info_thread info{};
    info.process_id =
        surroundings_.process ? static_cast<uint64_t>(surroundings_.process->id()) : 0;
    const bool stopped = stopped_.load(std::memory_order_relaxed);
    info.state = static_cast<uint32_t>(stopped ? ThreadState::kStopped : state());
    info.priority = priority();
    info.hart = home().value;
    info.affinity = affinity();
    info.time_ns = time_ns_.load(std::memory_order_relaxed);
    if (state() == ThreadState::kRunning) {  // an instant off, if it is just switched away from
        info.time_ns += arch::now().nanoseconds - switched_in_.nanoseconds;
    }
    for (uint32_t i = 0; i < kNameSize; ++i) info.name[i] = name_[i];
    return info;
}
