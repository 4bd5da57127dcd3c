// File descriptors, and the bridge between them and handles.
#include "fd/console_file.h"
#include "fd/pipe.h"
#include "fd/poll.h"
#include "process/process.h"
#include "syscall/bodies.h"
#include "syscall/give.h"
#include "syscall/wanted_rights.h"

namespace system_calls {

namespace {

constexpr uint32_t kAllFlags = KFD_NONBLOCK | KFD_CLOEXEC;
constexpr uint32_t kAllRights = FD_RIGHT_READ | FD_RIGHT_WRITE | FD_RIGHT_IOCTL | FD_RIGHT_DUP;

DescriptorTable& descriptors() { return current_thread().process().descriptors(); }

Status check_flags(uint32_t flags, uint32_t defined) {
    if ((flags & ~defined) != 0) return Fail(Error::INVAL);
    return {};
}

struct FoundBytes {
    Ref<Object> object;
    ByteRequest request;
};

// A descriptor that may be read or written, and what is asked of it.
Result<FoundBytes> find_for_bytes(int32_t fd, uint32_t right, UserPointer<uint8_t> buffer,
                                  uint64_t size) {
    if (size != 0) TRY(buffer.check_range(size));
    const FoundDescriptor found = TRY(descriptors().find(fd, right));
    if (!found.object->try_retain()) return Fail(Error::BADF);
    return FoundBytes{.object = Ref<Object>(*found.object, kAdoptReference),
                      .request = {.address = buffer.address,
                                  .size = size,
                                  .nonblocking = (found.flags & KFD_NONBLOCK) != 0,
                                  .through = found.through}};
}

// Closes a descriptor that is in no table any more, and audits who is left.
void close(OwnedCap closed) {
    Object* object = closed->object();
    if (object == nullptr || !object->try_retain()) return;  // revoked: it owns nothing
    const Ref<Object> kept(*object, kAdoptReference);
    { const OwnedCap now = std::move(closed); }
    kept->audit_owners();
}

Result<Descriptor> descriptor_of(File& file, Rights rights, uint32_t flags) {
    OwnedCap cap = TRY(
        OwnedCap::create_root(file, rights, current_thread().budget(), OwnerClass::kDescriptor));
    return Descriptor{std::move(cap), file.bridge()->to_descriptor(rights), flags};
}

}  // namespace

Status fd_from_handle(HandleValue handle, uint32_t flags, UserPointer<int32_t> out) {
    TRY(check_flags(flags, kAllFlags));
    TRY(out.check_range());
    HandleTable& handles = current_thread().handles();
    const FoundHandle found = TRY(handles.find(handle));
    const Bridge* bridge = found.object->bridge();
    if (bridge == nullptr) return Fail(Error::NOTSUP);
    if (!found.rights.covers(right::kDuplicate)) return Fail(Error::ACCES);
    if (!Bridge::useful(bridge->to_descriptor(found.rights))) return Fail(Error::ACCES);
    if ((flags & KFD_NONBLOCK) != 0 && !bridge->nonblocking_from_handle) return Fail(Error::INVAL);

    DescriptorReservation room;
    TRY(descriptors().reserve(0, room));
    OwnedCap cap = TRY(handles.derive(handle, right::kNone, OwnerClass::kDescriptor));
    // The handle's rights may have been limited since they were looked at.
    const DescriptorRights rights = bridge->to_descriptor(cap->rights());
    if (!Bridge::useful(rights)) return Fail(Error::ACCES);
    TRY(out.write(room.number()));
    room.install({std::move(cap), rights, flags});
    return {};
}

Status handle_from_fd(int32_t fd, uint32_t rights, UserHandle out) {
    const Rights wanted = TRY(wanted_rights(rights));
    TRY(out.check_range());
    OwnedCap derived = TRY(descriptors().derive(fd, wanted));
    return give<1>({NewHandle{std::move(derived), out}});
}

Status fd_rights_get(int32_t fd, UserPointer<uint32_t> out) {
    TRY(out.check_range());
    const FoundDescriptor found = TRY(descriptors().find(fd, 0));
    return out.write(found.rights.bits);
}

Status fd_rights_limit(int32_t fd, uint32_t rights) {
    if (rights == 0 || (rights & ~kAllRights) != 0) return Fail(Error::INVAL);
    return descriptors().limit(fd, {rights});
}

Result<int64_t> fd_flags(int32_t fd, uint32_t clear, uint32_t set) {
    TRY(check_flags(clear | set, kAllFlags));
    return TRY(descriptors().change_flags(fd, clear, set));
}

Result<int64_t> fd_read(int32_t fd, UserPointer<uint8_t> buffer, uint64_t size) {
    FoundBytes found = TRY(find_for_bytes(fd, FD_RIGHT_READ, buffer, size));
    return found.object->read_bytes(found.request);
}

Result<int64_t> fd_write(int32_t fd, UserPointer<uint8_t> buffer, uint64_t size) {
    FoundBytes found = TRY(find_for_bytes(fd, FD_RIGHT_WRITE, buffer, size));
    return found.object->write_bytes(found.request);
}

Status fd_close(int32_t fd) {
    close(TRY(descriptors().remove(fd)));
    return {};
}

Result<int64_t> fd_dup(int32_t fd, uint32_t from, uint32_t flags) {
    TRY(check_flags(flags, KFD_CLOEXEC));
    if (from >= KFD_MAX_PER_PROCESS) return Fail(Error::INVAL);
    Descriptor copy = TRY(descriptors().copy(fd));
    copy.flags |= flags;
    DescriptorReservation room;
    TRY(descriptors().reserve(from, room));
    const int number = room.number();
    room.install(std::move(copy));
    return number;
}

Result<int64_t> fd_dup2(int32_t fd, int32_t to, uint32_t flags) {
    TRY(check_flags(flags, KFD_CLOEXEC));
    if (fd == to) {
        TRY(descriptors().find(fd, FD_RIGHT_DUP));
        return to;
    }
    Descriptor copy = TRY(descriptors().copy(fd));
    copy.flags |= flags;
    OwnedCap before = TRY(descriptors().replace(to, copy));
    if (before) close(std::move(before));
    return to;
}

Result<int64_t> fd_poll(UserPointer<kairos_poll_entry> entries, uint64_t count, Instant deadline) {
    if (count != 0) TRY(entries.check_range(count));
    return poll_descriptors(descriptors(), entries.address, count, deadline,
                            current_thread().budget());
}

Status pipe(UserPointer<int32_t> fds, uint32_t flags) {
    TRY(check_flags(flags, kAllFlags));
    TRY(fds.check_range(2));
    PipeEnd::TwoEnds ends = TRY(PipeEnd::create_pair(current_thread().budget()));
    Descriptor reading = TRY(descriptor_of(*ends.reading, PipeEnd::kReadingRights, flags));
    Descriptor writing = TRY(descriptor_of(*ends.writing, PipeEnd::kWritingRights, flags));
    DescriptorReservation rooms[2];
    for (DescriptorReservation& room : rooms) TRY(descriptors().reserve(0, room));
    for (uint32_t i = 0; i < 2; ++i) TRY(fds.at(i).write(rooms[i].number()));
    rooms[0].install(std::move(reading));
    rooms[1].install(std::move(writing));
    return {};
}

Result<int64_t> fd_console(uint32_t flags) {
    TRY(check_flags(flags, kAllFlags));
    Ref<ConsoleFile> file = TRY(ConsoleFile::create(current_thread().budget()));
    Descriptor descriptor = TRY(descriptor_of(*file, ConsoleFile::kInitialRights, flags));
    DescriptorReservation room;
    TRY(descriptors().reserve(0, room));
    const int number = room.number();
    room.install(std::move(descriptor));
    return number;
}

}  // namespace system_calls
