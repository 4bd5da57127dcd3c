// Faults of user code: resolved by the address space, or by a supervisor, or the end of
// the process.
#include "arch/entry.h"
#include "process/process.h"
#include "trace/log.h"
#include "trace/records.h"

void on_user_fault(arch::UserFrame&, const arch::Fault& fault) {
    Thread& thread = current_thread();
    if (fault.kind == arch::FaultKind::kPage &&
        thread.space().resolve_fault({fault.address}, fault.access)) {
        return;
    }
    Process& process = thread.process();
    trace<TraceEvent::user_fault>(static_cast<uint64_t>(process.id()), fault.cause, fault.pc,
                                  fault.address);
    if (offer_exception(fault)) return;
    log("process %s (%lu): fault %lu at pc %lx, address %lx", process.name(),
        static_cast<uint64_t>(process.id()), fault.cause, fault.pc, fault.address);
    process.end({.code = -static_cast<int64_t>(Error::FAULT),
                 .fault_cause = fault.cause,
                 .fault_pc = fault.pc,
                 .fault_address = fault.address});
    // This thread leaves with the others, on its way out.
}

bool resolve_user_fault(VirtualAddress address, arch::Access access) {
    return current_thread().space().resolve_fault(address, access);
}
