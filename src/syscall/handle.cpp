#include "sched/thread.h"
#include "syscall/bodies.h"
#include "syscall/give.h"
#include "syscall/wanted_rights.h"

namespace system_calls {

Status handle_close(HandleValue handle, uint32_t flags) {
    if ((flags & ~KHANDLE_CLOSE_F_REVOKE_DESCENDANTS) != 0) return Fail(Error::INVAL);
    HandleTable& table = current_thread().handles();
    if (flags != 0) TRY(table.revoke_descendants(handle));
    OwnedCap closed = TRY(table.remove(handle));
    return {};
}

Status handle_duplicate(HandleValue handle, uint32_t rights, UserHandle out) {
    const Rights wanted = TRY(wanted_rights(rights));
    TRY(out.check_range());
    OwnedCap derived = TRY(current_thread().handles().derive(handle, wanted));
    return give<1>({NewHandle{std::move(derived), out}});
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
    const Rights wanted = TRY(wanted_rights(rights));
    HandleTable& table = current_thread().handles();
    if (wanted.any()) return table.limit(handle, wanted);
    TRY(table.find(handle));
    return {};
}

}  // namespace system_calls
