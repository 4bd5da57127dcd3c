// Exceptions: a fault that the kernel cannot resolve is told to the process's exception channel, if
// it has one, as a call: the thread sleeps, stopped, until the answer comes, the other end is gone,
// or it is killed. So nothing is left to do for a supervisor that dies.
//
// All that is needed is charged to whoever set the channel: a process that has used up its own
// budget can be looked at all the same. When that cannot be paid, nobody is asked.
#include "ipc/channel.h"
#include "process/process.h"

namespace {

uint32_t kind_of(arch::FaultKind kind) {
    switch (kind) {
        case arch::FaultKind::kPage:
            return KEXCEPTION_PAGE;
        case arch::FaultKind::kIllegal:
            return KEXCEPTION_ILLEGAL;
        case arch::FaultKind::kBreakpoint:
            return KEXCEPTION_BREAKPOINT;
        case arch::FaultKind::kMisaligned:
            return KEXCEPTION_MISALIGNED;
        case arch::FaultKind::kOther:
            break;
    }
    return KEXCEPTION_OTHER;
}

Status write_report(Thread& thread, const arch::Fault& fault, Budget& payer, Outgoing& to) {
    const kairos_exception report{.kind = kind_of(fault.kind),
                                  .reserved = 0,
                                  .cause = fault.cause,
                                  .pc = fault.pc,
                                  .address = fault.address,
                                  .process_id = static_cast<uint64_t>(thread.process().id()),
                                  .thread_id = static_cast<uint64_t>(thread.id())};
    TRY(to.read_from_kernel(&report, sizeof(report), payer));
    to.message.handles.push_front(
        TRY(OwnedCap::create_root(thread, Thread::kInitialRights, payer)));
    return {};
}

// What the other end answers; anything but a whole answer declines.
uint32_t ask(Endpoint& endpoint, Outgoing& report) {
    kairos_exception_answer answer{};
    ReceiveTarget target{.bytes = {reinterpret_cast<uint64_t>(&answer)},
                         .capacity = sizeof(answer),
                         .drop_handles = true};
    const Status asked = endpoint.call(report, target, {});
    return asked && target.size == sizeof(answer) ? answer.action : KEXCEPTION_DECLINE;
}

}  // namespace

bool offer_exception(const arch::Fault& fault) {
    Thread& thread = current_thread();
    const Process::ExceptionChannel channel = thread.process().exception_channel();
    if (!channel.endpoint) return false;
    Outgoing report;
    if (!write_report(thread, fault, *channel.payer, report)) return false;
    thread.begin_stop();
    uint32_t action;
    {
        const Waiter::Deaf deaf(thread.waiter());
        action = ask(*channel.endpoint, report);
    }
    thread.end_stop();
    return action == KEXCEPTION_RESUME;
}
