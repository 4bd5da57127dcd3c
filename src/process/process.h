// Process: an address space, a handle table and threads, charged to one budget.
//
//     NEW ──first thread started──> RUNNING ──exit, kill, fault, last thread──> ENDING ──> ENDED
//
// The first to end it decides the exit code. Its threads then leave at their next way out of the
// kernel, their sleeps ended; the last of them takes the process down (descriptors, handles,
// mappings) in bounded steps and raises TERMINATED, once. A process that never ran is taken down by
// whoever ends it, or when its last handle goes.
#pragma once

#include "abi/info.h"
#include "arch/entry.h"
#include "fd/descriptor_table.h"
#include "ipc/channel.h"
#include "memory/address_space.h"
#include "object/handle_table.h"
#include "sched/thread.h"

enum class ProcessState : uint32_t {
    kNew = KAIROS_PROCESS_NEW,
    kRunning = KAIROS_PROCESS_RUNNING,
    kEnding = KAIROS_PROCESS_ENDING,
    kEnded = KAIROS_PROCESS_ENDED,
};

struct ProcessEnd {
    int64_t code = 0;
    // Of a fault; zero otherwise.
    uint64_t fault_cause = 0;
    uint64_t fault_pc = 0;
    uint64_t fault_address = 0;
};

// Tells the exception channel of the current thread's process, if it has one, and waits for the
// answer. True: the thread goes on with its registers as they are now. BLOCKS. (exception.cpp)
bool offer_exception(const arch::Fault& fault);

class Process final : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kProcess;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_WAIT | KRIGHT_MANAGE |
                                           KRIGHT_SIGNAL};

    // A process without threads, charged to `budget`. -EDQUOT, -ENOMEM.
    static Result<Ref<Process>> create(Budget& budget, const char* name, uint32_t priority_ceiling);

    HandleTable& handles() { return handles_; }
    DescriptorTable& descriptors() { return descriptors_; }
    AddressSpace& space() { return *space_; }
    Budget& budget() { return *budget_; }
    const char* name() const override { return name_; }
    kairos_info_process describe();

    // A thread of this process, not started. -ESRCH when it is ending; -EDQUOT, -ENOMEM.
    Result<Ref<Thread>> create_thread(const char* name);
    // Starts the first thread, which finds `bootstrap` (KAIROS_HANDLE_INVALID if none is given) in
    // a0. On failure the handle is still its giver's. -EINVAL: the thread is another process's or
    // has started, or the process has; -ESRCH: it is ending; -EMFILE, -EDQUOT, -ENOMEM.
    Status start(Thread& thread, VirtualAddress entry, VirtualAddress sp,
                 TransferReservation& bootstrap, uint64_t argument);
    // The same with a cap that is in no table, dropped on failure.
    Status start_with(Thread& thread, VirtualAddress entry, VirtualAddress sp, OwnedCap bootstrap);
    // Starts a further thread. -EINVAL: it has started, or the process has not; -ESRCH.
    Status start_thread(Thread& thread, VirtualAddress entry, VirtualAddress sp, uint64_t argument0,
                        uint64_t argument1);

    // What its threads' priorities may be set to; what they start with is not above it either.
    uint32_t priority_ceiling() const { return priority_ceiling_.load(std::memory_order_relaxed); }
    // -EINVAL: it has been started.
    Status set_priority_ceiling(uint32_t priority);

    // Where faults of its threads are told before they end it, and whose budget pays for telling.
    struct ExceptionChannel {
        Ref<Endpoint> endpoint;  // null: nowhere
        Ref<Budget> payer;
    };
    ExceptionChannel exception_channel();
    // Takes over the endpoint in `channel`, if there is one, instead of what was set before.
    // -ESRCH: it is ending.
    Status set_exception_channel(TransferReservation& channel, Budget& payer);

    // Begins the end, unless somebody has; may be preempted. Returns before the threads are gone.
    void end(const ProcessEnd& how);
    // The current thread, which has nothing left to do in the kernel, ends, and with the last one
    // the process.
    [[noreturn]] static void end_current_thread();
    // Called at the very end with the first program's exit status.
    static void (*on_first_program_end)(const ProcessEnd& how);
    void mark_first() { first_ = true; }

    uint32_t readiness() const override;
    uint32_t raisable_signals() const override { return KPORT_BIND_TERMINATED | KPORT_BIND_USER; }
    uint32_t holding_signals() const override;

  private:
    template <typename T>
    friend class ObjectStorage;

    Process(Budget& budget, Ref<AddressSpace> space, const char* name, uint32_t priority_ceiling);
    bool on_unowned() override;
    bool wind_up() override;
    bool dismantle() override;
    void free_memory() override;

    Status launch(Thread& thread, ProcessState needed);
    void kill_threads();
    void take_down();
    bool take_down_a_piece();
    void drop_exception_channel();
    void finish();

    SpinLock threads_lock_{LockRank::kProcess};
    // Guarded by the threads lock.
    std::atomic<ProcessState> state_{ProcessState::kNew};
    List<Thread, &Thread::process_node> threads_;  // those that were started and have not ended
    uint32_t thread_count_ = 0;
    ProcessEnd end_;
    OwnedCap exception_endpoint_;
    Ref<Budget> exception_payer_;

    std::atomic<uint32_t> priority_ceiling_;  // changes while it is new only

    bool first_ = false;
    bool ended_ = false;  // guarded by the guard: what readiness shows
    Kept<Budget> budget_;
    Kept<AddressSpace> space_;
    HandleTable handles_;
    DescriptorTable descriptors_;
    char name_[kNameSize] = {};
};
