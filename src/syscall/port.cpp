#include "ipc/port.h"

#include "sched/thread.h"
#include "syscall/bodies.h"
#include "syscall/give.h"

namespace system_calls {

namespace {
constexpr uint32_t kSignals = KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED | KPORT_BIND_WRITABLE |
                              KPORT_BIND_TERMINATED | KPORT_BIND_TIMER | KPORT_BIND_INTERRUPT |
                              KPORT_BIND_USER;
}

Status port_create(uint32_t flags, UserHandle out) {
    if ((flags & ~KPORT_CREATE_TRANSFERABLE) != 0) return Fail(Error::INVAL);
    TRY(out.check_range());
    Ref<Port> port = TRY(Port::create(current_thread().budget()));
    const Rights extra = flags != 0 ? right::kTransfer : right::kNone;
    return give_object(*port, out, Port::kInitialRights | extra);
}

Status port_bind(HandleValue port_handle, HandleValue object_handle, uint64_t key,
                 uint32_t signals) {
    if (signals == 0 || (signals & ~kSignals) != 0) return Fail(Error::INVAL);
    HandleTable& table = current_thread().handles();
    Port* port = TRY(table.resolve<Port>(port_handle, right::kManage));
    const FoundHandle found = TRY(table.find(object_handle));
    const uint32_t raisable = found.object->raisable_signals();
    if (raisable == 0) return Fail(Error::NOTSUP);
    if (!found.rights.covers(right::kWait)) return Fail(Error::ACCES);
    if ((signals & ~raisable) != 0) return Fail(Error::INVAL);
    found.object->expect_usable("bind");
    return port->bind(*found.object, key, signals);
}

Status port_unbind(HandleValue port_handle, HandleValue object_handle) {
    HandleTable& table = current_thread().handles();
    Port* port = TRY(table.resolve<Port>(port_handle, right::kManage));
    const FoundHandle found = TRY(table.find(object_handle));
    return port->unbind(*found.object);
}

Result<int64_t> port_wait(HandleValue handle, UserPointer<kairos_port_packet> out, uint32_t max,
                          uint32_t options, Instant deadline) {
    if ((options & ~KPORT_WAIT_NONBLOCK) != 0 || max == 0) return Fail(Error::INVAL);
    TRY(out.check_range(max));
    Ref<Port> port = TRY(current_thread().handles().get<Port>(handle, right::kWait));
    return TRY(port->wait(out.address, max, options != 0, deadline,
                          current_thread().handles().through(handle)));
}

Status port_queue(HandleValue handle, UserPointer<kairos_port_packet> packet) {
    const kairos_port_packet image = TRY(packet.read());
    Port* port = TRY(current_thread().handles().resolve<Port>(handle, right::kWrite));
    return port->queue(image.key, image.observed);
}

}  // namespace system_calls
