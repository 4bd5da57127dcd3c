#include <algorithm>
#include <cstring>

#include "process/process.h"

#include "sched/scheduler.h"
#include "syscall/bodies.h"
#include "syscall/budget_of.h"
#include "syscall/give.h"
#include "syscall/wait_for.h"

namespace system_calls {

namespace {

// A name from user memory, cut where it does not fit. Its end may be the end of what can be read,
// so no page is touched that it does not reach. Most names are short: it comes in small pieces.
Status read_name(UserPointer<char> from, char (&name)[kNameSize]) {
    constexpr uint64_t kPiece = 16;
    for (uint32_t read = 0; read < kNameSize;) {
        const VirtualAddress at = from.address + read;
        const uint64_t in_page = kPageSize - at.value % kPageSize;
        const uint64_t left = kNameSize - read;
        const auto piece = static_cast<uint32_t>(std::min({left, in_page, kPiece}));
        if (!arch::copy_from_user(name + read, at, piece)) return Fail(Error::FAULT);
        if (std::memchr(name + read, 0, piece) != nullptr) return {};
        read += piece;
    }
    name[kNameSize - 1] = 0;
    return {};
}

constexpr Rights kBudgetRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER | KRIGHT_DUPLICATE};

}  // namespace

Status budget_create(HandleValue parent, uint64_t bytes, UserHandle out) {
    if (bytes == 0) return Fail(Error::INVAL);
    TRY(out.check_range());
    Ref<Budget> from = TRY(budget_of(parent));
    Ref<Budget> budget = TRY(Budget::create(*from, bytes, current_thread().budget()));
    return give_object(*budget, out, kBudgetRights);
}

Status process_create(UserPointer<char> name_pointer, HandleValue budget_handle,
                      UserHandle process_out, UserHandle space_out) {
    char name[kNameSize];
    TRY(read_name(name_pointer, name));
    TRY(process_out.check_range());
    TRY(space_out.check_range());
    Ref<Budget> budget = TRY(budget_of(budget_handle));
    const uint32_t ceiling = current_thread().process().priority_ceiling();
    Ref<Process> process = TRY(Process::create(*budget, name, ceiling));
    Budget& own = current_thread().budget();
    OwnedCap process_cap = TRY(OwnedCap::create_root(*process, Process::kInitialRights, own));
    OwnedCap space_cap =
        TRY(OwnedCap::create_root(process->space(), AddressSpace::kInitialRights, own));
    return give<2>({NewHandle{std::move(process_cap), process_out},
                    NewHandle{std::move(space_cap), space_out}});
}

Status process_start(HandleValue process_handle, HandleValue thread_handle, VirtualAddress entry,
                     VirtualAddress sp, HandleValue bootstrap, uint64_t argument) {
    HandleTable& table = current_thread().handles();
    Ref<Process> process = TRY(table.get<Process>(process_handle, right::kManage));
    Ref<Thread> thread = TRY(table.get<Thread>(thread_handle, right::kManage));
    TransferReservation moving;
    if (bootstrap != KAIROS_HANDLE_INVALID) {
        TRY(table.reserve_transfer({&bootstrap, 1}, nullptr, nullptr, moving));
    }
    return process->start(*thread, entry, sp, moving, argument);
}

Status process_kill(HandleValue handle, int64_t code) {
    Ref<Process> process = TRY(current_thread().handles().get<Process>(handle, right::kManage));
    process->end({.code = code});
    return {};
}

// The calling thread leaves, with all others, on its way out of the kernel.
Status process_exit(int64_t code) {
    current_thread().process().end({.code = code});
    return {};
}

// Until the end; what it ended with may be told through a handle that is gone by then.
Status process_wait(HandleValue handle, Instant deadline, UserPointer<int64_t> exit_code) {
    if (!exit_code.null()) TRY(exit_code.check_range());
    HandleTable& handles = current_thread().handles();
    Ref<Process> process = TRY(handles.get<Process>(handle, right::kRead | right::kWait));
    process->expect_usable("wait");
    TRY(wait_for(*process, handles.through(handle), KAIROS_POLLHUP, deadline));
    if (exit_code.null()) return {};
    return exit_code.write(process->describe().exit_code);
}

Status thread_create(HandleValue process_handle, UserPointer<char> name_pointer, UserHandle out) {
    char name[kNameSize];
    TRY(read_name(name_pointer, name));
    TRY(out.check_range());
    Ref<Process> process =
        TRY(current_thread().handles().get<Process>(process_handle, right::kManage));
    Ref<Thread> thread = TRY(process->create_thread(name));
    return give_object(*thread, out);
}

Status thread_start(HandleValue handle, VirtualAddress entry, VirtualAddress sp, uint64_t argument0,
                    uint64_t argument1) {
    Ref<Thread> thread = TRY(current_thread().handles().get<Thread>(handle, right::kManage));
    return thread->process().start_thread(*thread, entry, sp, argument0, argument1);
}

Status thread_exit() {
    current_thread().waiter().kill();
    this_hart().block.attention |= attention::kThread;
    return {};
}

Status thread_interrupt(HandleValue handle) {
    Thread* thread = TRY(current_thread().handles().resolve<Thread>(handle, right::kManage));
    thread->waiter().interrupt();
    return {};
}

Status thread_set_affinity(HandleValue handle, uint64_t hart_mask) {
    const uint64_t existing = hart_mask & Harts::mask();
    if (existing == 0) return Fail(Error::INVAL);
    Thread* thread = TRY(current_thread().handles().resolve<Thread>(handle, right::kManage));
    Scheduler::set_affinity(*thread, existing);
    return {};
}

Status thread_set_priority(HandleValue handle, uint32_t priority) {
    if (priority > KPRIORITY_MAX) return Fail(Error::INVAL);
    Thread* thread = TRY(current_thread().handles().resolve<Thread>(handle, right::kManage));
    if (priority > thread->process().priority_ceiling()) return Fail(Error::ACCES);
    Scheduler::set_priority(*thread, priority);
    return {};
}

Status process_set_priority_ceiling(HandleValue handle, uint32_t priority) {
    if (priority > KPRIORITY_MAX) return Fail(Error::INVAL);
    Ref<Process> process = TRY(current_thread().handles().get<Process>(handle, right::kManage));
    if (priority > current_thread().process().priority_ceiling()) return Fail(Error::ACCES);
    return process->set_priority_ceiling(priority);
}

Status yield() {
    Scheduler::yield();
    return {};
}

}  // namespace system_calls
