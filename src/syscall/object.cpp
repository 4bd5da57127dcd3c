// Calls that any type of object may answer.
#include "object/bridge.h"
#include "syscall/bodies.h"
#include "syscall/wait_for.h"

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

// An object whose bytes a handle may read or write: by the same rights that a descriptor of it
// would need.
Result<Ref<Object>> find_for_bytes(HandleValue handle, Bridge::Entry Bridge::*direction) {
    const FoundHandle found = TRY(current_thread().handles().find(handle));
    const Bridge* bridge = found.object->bridge();
    if (bridge == nullptr || !(bridge->*direction).from.any()) return Fail(Error::NOTSUP);
    if (!found.rights.covers((bridge->*direction).from)) return Fail(Error::ACCES);
    found.object->expect_usable("read or write");
    if (!found.object->try_retain()) return Fail(Error::BADF);
    return Ref<Object>(*found.object, kAdoptReference);
}

ByteRequest request_of(HandleValue handle, UserPointer<uint8_t> buffer, uint64_t size,
                       uint32_t options) {
    return {.address = buffer.address,
            .size = size,
            .nonblocking = options != 0,
            .through = current_thread().handles().through(handle)};
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
    const Through through = current_thread().handles().through(handle);
    const uint32_t ready = TRY(wait_for(*object, through, events | kAlwaysReported, deadline));
    return revents.write(ready);
}

Result<int64_t> object_read(HandleValue handle, UserPointer<uint8_t> buffer, uint64_t size,
                            uint32_t options) {
    TRY(check_buffer(options, buffer, size));
    Ref<Object> object = TRY(find_for_bytes(handle, &Bridge::read));
    return object->read_bytes(request_of(handle, buffer, size, options));
}

Result<int64_t> object_write(HandleValue handle, UserPointer<uint8_t> buffer, uint64_t size,
                             uint32_t options) {
    if ((options & ~KCHANNEL_OPT_NONBLOCK) != 0) return Fail(Error::INVAL);
    if (size > KCHANNEL_MAX_MSG_BYTES) return Fail(Error::MSGSIZE);
    TRY(check_buffer(options, buffer, size));
    Ref<Object> object = TRY(find_for_bytes(handle, &Bridge::write));
    return object->write_bytes(request_of(handle, buffer, size, options));
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
