// Handing new handles to the caller: everything that can fail (room in the table, the caller's
// output memory) is done before anything is visible.
#pragma once

#include <array>

#include "object/handle_table.h"
#include "sched/thread.h"
#include "syscall/bodies.h"

namespace system_calls {

struct NewHandle {
    OwnedCap cap;
    UserHandle out;
};

// -EMFILE, -EDQUOT, -ENOMEM, -EFAULT; on failure no handle exists.
template <size_t kCount>
Status give(std::array<NewHandle, kCount> handles) {
    SlotReservation room;
    TRY(current_thread().handles().reserve(kCount, room));
    for (uint32_t i = 0; i < kCount; ++i) TRY(handles[i].out.write(room.value(i)));
    for (uint32_t i = 0; i < kCount; ++i) {
        // A duplicate may have been revoked since it was made: then its handle is closed already.
        (void)room.install(i, std::move(handles[i].cap));
    }
    return {};
}

// A first handle to `object`, with all rights of its type.
template <typename T>
Status give_object(T& object, UserHandle out, Rights rights = T::kInitialRights) {
    OwnedCap cap = TRY(OwnedCap::create_root(object, rights, current_thread().budget()));
    return give<1>({NewHandle{std::move(cap), out}});
}

}  // namespace system_calls
