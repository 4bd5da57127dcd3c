// Calls that any type of object may answer.
#include <algorithm>

#include "ipc/channel.h"
#include "ipc/port.h"
#include "sched/blocking_use.h"
#include "syscall/bodies.h"

namespace system_calls {

namespace {

constexpr uint32_t kEvents = KAIROS_POLLIN | KAIROS_POLLOUT | KAIROS_POLLERR | KAIROS_POLLHUP;
constexpr uint32_t kAlwaysReported = KAIROS_POLLERR | KAIROS_POLLHUP;

Status check_events(uint32_t events, UserPointer<uint32_t> revents) {
    if ((events & ~kEvents) != 0) return Fail(Error::INVAL);
    return revents.check_range();
}

// An object that one may poll, with the right to.
Result<Object*> find_pollable(HandleValue handle) {
    const FoundHandle found = TRY(current_thread().handles().find(handle));
    if (!found.object->pollable()) return Fail(Error::NOTSUP);
    if (!found.rights.covers(right::kWait)) return Fail(Error::ACCES);
    found.object->expect_usable("poll or wait");
    return found.object;
}

Status check_buffer(uint32_t options, UserPointer<uint8_t> buffer, uint64_t size) {
    if ((options & ~KCHANNEL_OPT_NONBLOCK) != 0) return Fail(Error::INVAL);
    if (size != 0) TRY(buffer.check_range(size));
    return {};
}

Result<int64_t> read_channel(HandleValue handle, UserPointer<uint8_t> buffer, uint64_t size,
                             bool nonblocking) {
    Ref<Endpoint> endpoint = TRY(current_thread().handles().get<Endpoint>(handle, right::kRead));
    ReceiveTarget target{
        .space = &current_thread().space(),
        .table = &current_thread().handles(),
        .bytes = buffer.address,
        .capacity = static_cast<uint32_t>(std::min<uint64_t>(size, KCHANNEL_MAX_MSG_BYTES)),
        .drop_handles = true};
    const bool received =
        TRY(endpoint->receive(target, {.nonblocking = nonblocking, .through = handle}));
    return received ? target.size : 0;
}

Result<int64_t> read_port(HandleValue handle, UserPointer<uint8_t> buffer, uint64_t size,
                          bool nonblocking) {
    Ref<Port> port = TRY(current_thread().handles().get<Port>(handle, right::kWait));
    const uint64_t packets = size / sizeof(kairos_port_packet);
    if (packets == 0) return Fail(Error::INVAL);
    const auto max = static_cast<uint32_t>(std::min<uint64_t>(packets, UINT32_MAX));
    const uint32_t taken =
        TRY(port->wait(buffer.address, max, nonblocking, Instant::never(), handle));
    return taken * sizeof(kairos_port_packet);
}

}  // namespace

Status object_poll(HandleValue handle, uint32_t events, UserPointer<uint32_t> revents) {
    TRY(check_events(events, revents));
    Object* object = TRY(find_pollable(handle));
    const uint32_t ready = poll_readiness(*object);
    return revents.write(ready & (events | kAlwaysReported));
}

Status object_wait(HandleValue handle, uint32_t events, Instant deadline,
                   UserPointer<uint32_t> revents) {
    TRY(check_events(events, revents));
    Object* found = TRY(find_pollable(handle));
    if (!found->try_retain()) return Fail(Error::BADF);
    Ref<Object> object(*found, kAdoptReference);
    BlockingUse use(*object, handle);
    while (true) {
        LockGuard held(object->guard());
        if (object->closed()) return Fail(Error::CANCELED);
        const uint32_t ready = object->checked_readiness() & (events | kAlwaysReported);
        if (ready != 0) {
            held.unlock();
            return revents.write(ready);
        }
        TRY(use.begin());
        WaitSource& source = object->base_wait();
        const WakeReason reason = source.block(held, source.sequence(), deadline);
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
    }
}

Result<int64_t> object_read(HandleValue handle, UserPointer<uint8_t> buffer, uint64_t size,
                            uint32_t options) {
    TRY(check_buffer(options, buffer, size));
    const bool nonblocking = options != 0;
    const FoundHandle found = TRY(current_thread().handles().find(handle));
    found.object->expect_usable("read");
    switch (found.type) {
        case ObjectType::kChannel:
            return read_channel(handle, buffer, size, nonblocking);
        case ObjectType::kPort:
            return read_port(handle, buffer, size, nonblocking);
        default:
            return Fail(Error::NOTSUP);
    }
}

Result<int64_t> object_write(HandleValue handle, UserPointer<uint8_t> buffer, uint64_t size,
                             uint32_t options) {
    if ((options & ~KCHANNEL_OPT_NONBLOCK) != 0) return Fail(Error::INVAL);
    if (size > KCHANNEL_MAX_MSG_BYTES) return Fail(Error::MSGSIZE);
    TRY(check_buffer(options, buffer, size));
    Ref<Endpoint> endpoint = TRY(current_thread().handles().get<Endpoint>(handle, right::kWrite));
    Outgoing outgoing;
    TRY(outgoing.refer_to(buffer.address, static_cast<uint32_t>(size)));
    TRY(endpoint->send(outgoing, {.nonblocking = options != 0, .through = handle}));
    return static_cast<int64_t>(size);
}

Status object_signal(HandleValue handle, uint32_t clear, uint32_t set) {
    if (((clear | set) & ~KPORT_BIND_USER) != 0) return Fail(Error::INVAL);
    const FoundHandle found = TRY(current_thread().handles().find(handle));
    if ((found.object->raisable_signals() & KPORT_BIND_USER) == 0) return Fail(Error::NOTSUP);
    if (!found.rights.covers(right::kSignal)) return Fail(Error::ACCES);
    found.object->expect_usable("signal");
    found.object->signal(clear, set);
    return {};
}

}  // namespace system_calls
