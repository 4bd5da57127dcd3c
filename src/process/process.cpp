#include "process/process.h"

#include "arch/context.h"
#include "object/graveyard.h"
#include "object/object_storage.h"
#include "sched/scheduler.h"
#include "sync/preemption.h"
#include "trace/records.h"

namespace {
// Threads told to leave between two chances for others to run.
constexpr int kKilledPerHold = 16;
}  // namespace

void (*Process::on_first_program_end)(const ProcessEnd& how) = nullptr;

Process& Thread::process() const { return static_cast<Process&>(*surroundings_.process); }

Process::Process(Budget& budget, Ref<AddressSpace> space, const char* name,
                 uint32_t priority_ceiling)
    : Object(kType, nullptr),
      priority_ceiling_(priority_ceiling),
      budget_(Ref<Budget>(budget)),
      space_(std::move(space)),
      handles_(budget, this),
      descriptors_(budget, this) {
    set_name(name_, name);
}

Result<Ref<Process>> Process::create(Budget& budget, const char* name, uint32_t priority_ceiling) {
    Ref<AddressSpace> space = TRY(AddressSpace::create(budget));
    return ObjectStorage<Process>::create(budget, budget, std::move(space), name, priority_ceiling);
}

void Process::free_memory() { ObjectStorage<Process>::free(*this); }

// ---- Starting -----------------------------------------------------------------------------------

Result<Ref<Thread>> Process::create_thread(const char* name) {
    if (state_.load(std::memory_order_relaxed) >= ProcessState::kEnding) return Fail(Error::SRCH);
    return Thread::create({.process = Ref<Object>(*this),
                           .handles = &handles_,
                           .space = space_.get(),
                           .budget = budget_.get()},
                          name);
}

// Makes a new thread one of the running ones; the threads lock keeps the end from coming between.
Status Process::launch(Thread& thread, ProcessState needed) {
    LockGuard held(threads_lock_);
    const ProcessState state = state_.load(std::memory_order_relaxed);
    if (state >= ProcessState::kEnding) return Fail(Error::SRCH);
    if (state != needed || !thread.begin()) return Fail(Error::INVAL);
    state_.store(ProcessState::kRunning, std::memory_order_relaxed);
    thread.limit_priority(priority_ceiling());
    threads_.push_back(thread);
    trace<TraceEvent::thread_start>(static_cast<uint64_t>(thread.id()),
                                    static_cast<uint64_t>(id()));
    ++thread_count_;
    return {};
}

Status Process::start(Thread& thread, VirtualAddress entry, VirtualAddress sp,
                      TransferReservation& bootstrap, uint64_t argument) {
    if (&thread.process() != this) return Fail(Error::INVAL);
    SlotReservation room;
    TRY(handles_.reserve(bootstrap.count(), room));
    TRY(launch(thread, ProcessState::kNew));
    // Nothing fails from here on, and the thread does not run before the last line.
    HandleValue value = KAIROS_HANDLE_INVALID;
    if (bootstrap.count() != 0) {
        CapChain moved = bootstrap.commit();
        if (room.install(0, moved.pop_front())) value = room.value(0);
    }
    thread.prepare(entry, sp, value, argument);
    Scheduler::start(thread);
    return {};
}

Status Process::start_with(Thread& thread, VirtualAddress entry, VirtualAddress sp,
                           OwnedCap bootstrap) {
    const HandleValue value = TRY(handles_.insert(std::move(bootstrap)));
    TRY(launch(thread, ProcessState::kNew));
    thread.prepare(entry, sp, value, 0);
    Scheduler::start(thread);
    return {};
}

Status Process::start_thread(Thread& thread, VirtualAddress entry, VirtualAddress sp,
                             uint64_t argument0, uint64_t argument1) {
    TRY(launch(thread, ProcessState::kRunning));
    thread.prepare(entry, sp, argument0, argument1);
    Scheduler::start(thread);
    return {};
}

Status Process::set_priority_ceiling(uint32_t priority) {
    LockGuard held(threads_lock_);
    if (state_.load(std::memory_order_relaxed) != ProcessState::kNew) return Fail(Error::INVAL);
    priority_ceiling_.store(priority, std::memory_order_relaxed);
    return {};
}

// ---- Ending -------------------------------------------------------------------------------------

void Process::end(const ProcessEnd& how) {
    bool never_ran = false;
    {
        LockGuard held(threads_lock_);
        const ProcessState state = state_.load(std::memory_order_relaxed);
        if (state >= ProcessState::kEnding) return;
        never_ran = state == ProcessState::kNew;
        state_.store(ProcessState::kEnding, std::memory_order_relaxed);
        end_ = how;
        trace<TraceEvent::process_end>(static_cast<uint64_t>(id()),
                                       static_cast<uint64_t>(how.code));
    }
    if (!never_ran) {
        kill_threads();
        return;
    }
    take_down();
}

// Tells every thread to leave. No thread is added any more; those told go to the back of the list,
// so that the walk may let others in between.
void Process::kill_threads() {
    uint32_t left;
    {
        LockGuard held(threads_lock_);
        left = thread_count_;
    }
    while (left != 0) {
        {
            LockGuard held(threads_lock_);
            for (int i = 0; i < kKilledPerHold && left != 0; ++i, --left) {
                Thread* thread = threads_.pop_front();
                if (thread == nullptr) return;
                threads_.push_back(*thread);
                thread->waiter().kill();
                Scheduler::poke(*thread);
            }
        }
        preemption_point();
    }
}

void Process::end_current_thread() {
    Thread& self = current_thread();
    Process& process = self.process();
    bool last = false;
    {
        LockGuard held(process.threads_lock_);
        process.threads_.remove(self);
        trace<TraceEvent::thread_end>(static_cast<uint64_t>(self.id()),
                                      static_cast<uint64_t>(process.id()));
        last = --process.thread_count_ == 0;
        // Without anybody having ended it: its last thread went, which is an end with code 0.
        if (last) process.state_.store(ProcessState::kEnding, std::memory_order_relaxed);
    }
    {
        WakeBatch wakes;
        LockGuard held(self.guard());
        self.mark_ended(wakes);
    }
    if (last) process.take_down();
    Scheduler::end_current();
}

// What its handles kept, messages in queues included, is gone before anybody hears of the end.
void Process::take_down() {
    while (take_down_a_piece()) preemption_point();
    Graveyard::drain();
    finish();
}

// The address space last. False when all is gone.
bool Process::take_down_a_piece() {
    drop_exception_channel();
    return descriptors_.close_some() || handles_.close_some() || space_->retire_step();
}

Process::ExceptionChannel Process::exception_channel() {
    LockGuard held(threads_lock_);
    Object* endpoint = exception_endpoint_ ? exception_endpoint_->object() : nullptr;
    if (endpoint == nullptr || !endpoint->try_retain()) return {};  // none, or revoked
    return {Ref<Endpoint>(static_cast<Endpoint&>(*endpoint), kAdoptReference), exception_payer_};
}

Status Process::set_exception_channel(TransferReservation& channel, Budget& payer) {
    OwnedCap old;  // closed without the lock
    Ref<Budget> old_payer;
    LockGuard held(threads_lock_);
    if (state_.load(std::memory_order_relaxed) >= ProcessState::kEnding) return Fail(Error::SRCH);
    old = std::move(exception_endpoint_);
    old_payer = std::exchange(exception_payer_, Ref<Budget>(payer));
    if (channel.count() != 0) exception_endpoint_ = channel.commit().pop_front();
    held.unlock();
    return {};
}

// Nobody sets another: the process is ending.
void Process::drop_exception_channel() {
    OwnedCap old;
    LockGuard held(threads_lock_);
    old = std::move(exception_endpoint_);
    exception_payer_ = nullptr;
    held.unlock();
}

void Process::finish() {
    {
        WakeBatch wakes;
        LockGuard held(guard());
        state_.store(ProcessState::kEnded, std::memory_order_relaxed);
        ended_ = true;
        raise(KPORT_BIND_TERMINATED, WakeReason::kHup, wakes);
    }
    audit_owners();
    audit_next_object();
    if (first_) on_first_program_end(end_);
}

// A process that never ran ends with its last handle; one that runs does not care.
bool Process::on_unowned() {
    LockGuard held(threads_lock_);
    if (state_.load(std::memory_order_relaxed) != ProcessState::kNew) return false;
    state_.store(ProcessState::kEnding, std::memory_order_relaxed);
    return true;
}

bool Process::wind_up() {
    if (take_down_a_piece()) return false;
    finish();
    return true;
}

bool Process::dismantle() {
    if (descriptors_.close_some() || handles_.close_some()) return false;
    descriptors_.dismantle();
    handles_.dismantle();
    space_ = nullptr;
    budget_ = nullptr;
    return true;
}

// ---- What it shows ------------------------------------------------------------------------------

uint32_t Process::readiness() const { return ended_ ? KAIROS_POLLIN | KAIROS_POLLHUP : 0; }

uint32_t Process::holding_signals() const {
    return user_signals_ | (ended_ ? KPORT_BIND_TERMINATED : 0);
}

kairos_info_process Process::describe() {
    LockGuard held(threads_lock_);
    return {.state = static_cast<uint32_t>(state_.load(std::memory_order_relaxed)),
            .threads = thread_count_,
            .exit_code = end_.code,
            .fault_cause = end_.fault_cause,
            .fault_pc = end_.fault_pc,
            .fault_address = end_.fault_address,
            .handles = handles_.used(),
            .fds = descriptors_.used()};
}
