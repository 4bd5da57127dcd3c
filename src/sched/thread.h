// Thread: what a hart runs. It knows its process only as something to count and to look things up
// in; starting and ending threads is process/'s work.
//
//     NEW ──start──> READY <──> RUNNING ──end──> ENDED
//                      ↑           │
//                      └─ BLOCKED <┘
//
// Stopping: a thread that is suspended, or faults before an exception channel, sleeps where it
// would leave the kernel, with its user registers laid open to whoever holds the guard. What it was
// doing in the kernel it has done: a call that blocks goes on blocking.
//
// Who may touch a thread: the hart it is home to, alone, while it is ready, running or blocked; the
// winner of a claim on its waiter, until it hands it to make_ready; its creator while it is new. A
// thread changes its home only while it sits in a run queue, by the hand of that queue's hart.
#pragma once

#include <atomic>
#include <cstdint>

#include "abi/info.h"
#include "arch/context.h"
#include "base/atomic_flag.h"
#include "base/list.h"
#include "base/tree.h"
#include "mm/kernel_stack.h"
#include "object/budget.h"
#include "object/handle_table.h"
#include "object/kept.h"
#include "wait/wait_source.h"

class AddressSpace;
class Process;

enum class ThreadState : uint32_t {
    kNew = KAIROS_THREAD_NEW,
    kReady = KAIROS_THREAD_READY,
    kRunning = KAIROS_THREAD_RUNNING,
    kBlocked = KAIROS_THREAD_BLOCKED,
    kEnded = KAIROS_THREAD_ENDED,
    kStopped = KAIROS_THREAD_STOPPED,
};

inline constexpr uint32_t kNameSize = 32;  // of threads and processes, the ending zero included

// Copies a name, cutting it where it does not fit.
void set_name(char (&to)[kNameSize], const char* from);

class Thread final : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kThread;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_WAIT | KRIGHT_MANAGE |
                                           KRIGHT_SIGNAL};

    struct Surroundings {
        Kept<Object>
            process;  // counted for as long as the thread exists; null for the kernel's own
        HandleTable* handles;  // these two belong to the process
        AddressSpace* space;
        Budget* budget;
    };

    // A new thread, charged to the budget of its process, with a kernel stack. -EDQUOT, -ENOMEM.
    static Result<Ref<Thread>> create(Surroundings surroundings, const char* name);
    // A hart's idle thread, for the context that boots it; never queued. Boot only.
    static Thread& create_idle(Budget& budget);

    Process& process() const;  // process/process.h
    HandleTable& handles() const { return *surroundings_.handles; }
    AddressSpace& space() const { return *surroundings_.space; }
    Budget& budget() const { return *surroundings_.budget; }
    bool is_idle() const { return idle_; }

    Waiter& waiter() { return waiter_; }
    static Thread& of(Waiter& waiter);
    arch::ThreadContext& context() { return context_; }
    const char* name() const override { return name_; }

    uint32_t priority() const { return priority_.load(std::memory_order_relaxed); }
    uint64_t affinity() const { return affinity_.load(std::memory_order_relaxed); }
    HartIndex home() const { return {home_.load(std::memory_order_acquire)}; }
    ThreadState state() const { return state_.load(std::memory_order_relaxed); }
    bool allowed_on(HartIndex hart) const { return (affinity() >> hart.value & 1) != 0; }

    // New no longer; false if it was not new. The winner prepares it and starts it.
    [[nodiscard]] bool begin();
    // Lowers the priority to `ceiling` if it is higher; before the thread starts.
    void limit_priority(uint32_t ceiling) {
        if (priority() > ceiling) priority_.store(ceiling, std::memory_order_relaxed);
    }
    // Sets where the thread begins.
    void prepare(VirtualAddress pc, VirtualAddress sp, uint64_t a0, uint64_t a1);
    // Its end, after which it never runs: readiness and the TERMINATED signal.
    void mark_ended(WakeBatch& batch);

    // ---- Stopping (thread_stop.cpp) ----
    // One more reason not to run in user mode. -ESRCH: it has ended; -EAGAIN: too many.
    Status suspend();
    // One less. -EINVAL: it is not suspended.
    Status resume();
    // The current thread, which is about to leave the kernel, sleeps until it is not suspended any
    // more, or killed.
    void stay_while_suspended();
    // The current thread stops for another reason, and is done with that. In between it sleeps deaf
    // (Waiter::Deaf).
    void begin_stop();
    void end_stop();
    // Waits for the thread to stop: from then on, until `held`, its guard, is released, nobody else
    // touches its user registers. -ESRCH: it has ended; -ETIMEDOUT, -EINTR, -ECANCELED. BLOCKS.
    Status await_stop(LockGuard& held, Instant deadline, Through through) NO_THREAD_SAFETY_ANALYSIS;

    uint32_t readiness() const override;
    uint32_t raisable_signals() const override { return KPORT_BIND_TERMINATED | KPORT_BIND_USER; }
    uint32_t holding_signals() const override;
    kairos_info_thread describe() const;

    ListNode process_node;  // in the process's threads; guarded by the process's lock

  private:
    friend class RunQueue;
    friend class Scheduler;
    friend class Watchdog;
    template <typename T>
    friend class ObjectStorage;

    Thread(Surroundings surroundings, mm::KernelStack stack, Charge stack_charge, const char* name);
    bool on_unowned() override { return false; }  // it runs on, and who waits for its end goes on
    bool dismantle() override;
    void free_memory() override;

    Waiter waiter_;
    arch::ThreadContext context_;
    Surroundings surroundings_;
    mm::KernelStack stack_;
    Charge stack_charge_;
    char name_[kNameSize] = {};
    bool idle_ = false;
    // Guarded by the guard.
    bool ended_ = false;  // what readiness shows
    uint32_t suspensions_ = 0;
    WaitSource going_on_{id_ref(), "being resumed"};  // the thread itself, while it is suspended
    WaitSource stop_watchers_{id_ref(), "its stopping"};  // those who wait for it to stop
    std::atomic<bool> stopped_{false};                    // its registers lie open

    std::atomic<ThreadState> state_{ThreadState::kNew};
    std::atomic<uint32_t> priority_{KPRIORITY_USUAL};
    std::atomic<uint64_t> affinity_{UINT64_MAX};
    std::atomic<uint32_t> home_{0};
    std::atomic<uint64_t> time_ns_{0};  // spent running, up to the last switch

    // What the watchdog saw of it; its own.
    struct Watched {
        uint64_t ran = 0;    // ns
        uint32_t looks = 0;  // in a row at which it slept although it could go on, and had not run
    };
    Watched watched_;

    // What a hart is shared between: processes.
    uint64_t share() const { return reinterpret_cast<uint64_t>(surroundings_.process.get()); }

    // The scheduler's, on the home hart.
    ListNode run_node_;     // in a line of its run queue, or behind the leader there
    TreeNode leader_node_;  // of a leader
    List<Thread, &Thread::run_node_> followers_;
    bool leads_ = false;
    Thread* next_released_ = nullptr;  // in an inbox of some scheduler
    Thread* next_adjusted_ = nullptr;
    AtomicFlag adjusting_;  // in an inbox of adjustments, which counts a reference
    uint32_t queued_priority_ = 0;
    Instant switched_in_{};
};

// The thread that runs on this hart.
Thread& current_thread();
