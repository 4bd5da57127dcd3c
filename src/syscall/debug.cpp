// For debuggers and supervisors: stopping threads, their registers, exception channels.
#include "process/process.h"
#include "sched/scheduler.h"
#include "syscall/bodies.h"

namespace system_calls {

namespace {

// One kind of state, copied between the thread and the caller's memory.
template <typename State>
struct Transfer {
    static Result<int64_t> read(Thread& thread, const UserPointer<State>& to, Instant deadline,
                                Through through) {
        State state;
        {
            LockGuard held(thread.guard());
            TRY(thread.await_stop(held, deadline, through));
            arch::read_registers(thread.context(), state);
        }
        TRY(to.write(state));
        return static_cast<int64_t>(sizeof(state));
    }
    static Result<int64_t> write(Thread& thread, const UserPointer<State>& from, Instant deadline,
                                 Through through) {
        const State state = TRY(from.read());
        LockGuard held(thread.guard());
        TRY(thread.await_stop(held, deadline, through));
        arch::write_registers(thread.context(), state);
        return static_cast<int64_t>(sizeof(state));
    }
};

uint64_t size_of_state(uint32_t which) {
    if (which == KTHREAD_STATE_GENERAL) return sizeof(kairos_thread_general);
    if (which == KTHREAD_STATE_FLOAT) return sizeof(kairos_thread_float);
    return 0;
}

// -EINVAL: no such state; -EMSGSIZE; -EFAULT; then those of the handle.
Result<Ref<Thread>> check_state(HandleValue handle, uint32_t which,
                                const UserPointer<uint8_t>& buffer, uint64_t size) {
    const uint64_t needed = size_of_state(which);
    if (needed == 0) return Fail(Error::INVAL);
    if (size < needed) return Fail(Error::MSGSIZE);
    TRY(buffer.check_range(size));
    return current_thread().handles().get<Thread>(handle, right::kManage);
}

}  // namespace

Status thread_suspend(HandleValue handle) {
    Thread* thread = TRY(current_thread().handles().resolve<Thread>(handle, right::kManage));
    return thread->suspend();
}

Status thread_resume(HandleValue handle) {
    Thread* thread = TRY(current_thread().handles().resolve<Thread>(handle, right::kManage));
    return thread->resume();
}

Result<int64_t> thread_read_state(HandleValue handle, uint32_t which, UserPointer<uint8_t> buffer,
                                  uint64_t size, Instant deadline) {
    Ref<Thread> thread = TRY(check_state(handle, which, buffer, size));
    const Through through = current_thread().handles().through(handle);
    if (which == KTHREAD_STATE_FLOAT) {
        return Transfer<kairos_thread_float>::read(*thread, {buffer.address}, deadline, through);
    }
    return Transfer<kairos_thread_general>::read(*thread, {buffer.address}, deadline, through);
}

Result<int64_t> thread_write_state(HandleValue handle, uint32_t which, UserPointer<uint8_t> buffer,
                                   uint64_t size, Instant deadline) {
    Ref<Thread> thread = TRY(check_state(handle, which, buffer, size));
    const Through through = current_thread().handles().through(handle);
    if (which == KTHREAD_STATE_FLOAT) {
        return Transfer<kairos_thread_float>::write(*thread, {buffer.address}, deadline, through);
    }
    return Transfer<kairos_thread_general>::write(*thread, {buffer.address}, deadline, through);
}

Status process_set_exception_channel(HandleValue process_handle, HandleValue channel) {
    HandleTable& table = current_thread().handles();
    Ref<Process> process = TRY(table.get<Process>(process_handle, right::kManage));
    TransferReservation moving;
    if (channel != KAIROS_HANDLE_INVALID) {
        TRY(table.resolve<Endpoint>(channel, right::kRead | right::kWrite | right::kTransfer));
        TRY(table.reserve_transfer({&channel, 1}, nullptr, nullptr, moving));
    }
    return process->set_exception_channel(moving, current_thread().budget());
}

}  // namespace system_calls
