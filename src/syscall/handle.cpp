#include "sched/thread.h"
#include "syscall/bodies.h"

namespace system_calls {

namespace {

struct WantedRights {
    Rights rights;
    bool same;
};

Result<WantedRights> check_rights(uint32_t bits) {
    if (bits == KRIGHT_SAME) return WantedRights{{}, true};
    if (bits == 0 || (bits & ~KRIGHT_ALL) != 0) return Fail(Error::INVAL);
    return WantedRights{Rights(bits), false};
}

}  // namespace

Status handle_close(HandleValue handle, uint32_t flags) {
    if ((flags & ~KHANDLE_CLOSE_F_REVOKE_DESCENDANTS) != 0) return Fail(Error::INVAL);
    HandleTable& table = current_thread().handles();
    if (flags != 0) TRY(table.revoke_descendants(handle));
    OwnedCap closed = TRY(table.remove(handle));
    return {};
}

Status handle_duplicate(HandleValue handle, uint32_t rights, UserHandle out) {
    const WantedRights wanted = TRY(check_rights(rights));
    TRY(out.check_range());
    HandleTable& table = current_thread().handles();
    const FoundHandle found = TRY(table.find(handle));
    if (!found.rights.covers(wanted.rights | right::kDuplicate)) return Fail(Error::ACCES);
    SlotReservation room;
    TRY(table.reserve(1, room));
    TRY(out.write(room.value(0)));
    return table.duplicate(handle, wanted.same ? found.rights : wanted.rights, room);
}

Status handle_revoke(HandleValue handle) {
    return current_thread().handles().revoke_descendants(handle);
}

Status cap_rights_get(HandleValue handle, UserPointer<uint32_t> out) {
    TRY(out.check_range());
    const FoundHandle found = TRY(current_thread().handles().find(handle));
    return out.write(found.rights.bits());
}

Status cap_rights_limit(HandleValue handle, uint32_t rights) {
    const WantedRights wanted = TRY(check_rights(rights));
    HandleTable& table = current_thread().handles();
    if (!wanted.same) return table.limit(handle, wanted.rights);
    TRY(table.find(handle));
    return {};
}

}  // namespace system_calls
