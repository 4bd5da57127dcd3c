// Which budget a call that makes something is to charge.
#pragma once

#include "object/budget.h"
#include "sched/thread.h"

namespace system_calls {

// The budget a handle names, or the caller's own for KAIROS_HANDLE_INVALID. Spending from another
// needs KRIGHT_WRITE. -EBADF, -ENOTSUP, -EACCES.
inline Result<Ref<Budget>> budget_of(HandleValue handle) {
    if (handle == KAIROS_HANDLE_INVALID) return Ref<Budget>(current_thread().budget());
    return current_thread().handles().get<Budget>(handle, right::kWrite);
}

}  // namespace system_calls
