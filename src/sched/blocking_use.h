// The time in which a call may block through a handle: revoking the handle ends it (-ECANCELED).
#pragma once

#include "object/lineage.h"
#include "sched/thread.h"

class BlockingUse {
  public:
    // `object`, which the caller counts, is what the handle was found to name. A use that nobody
    // revokes: KAIROS_HANDLE_INVALID.
    BlockingUse(Object& object, HandleValue handle) : object_(object), handle_(handle) {}
    ~BlockingUse() {
        if (begun_) Lineage::end_use(object_, current_thread().waiter());
    }
    BlockingUse(const BlockingUse&) = delete;
    BlockingUse& operator=(const BlockingUse&) = delete;

    // Before each sleep; does its work the first time. -ECANCELED. Any lock below kHandleTable may
    // be held.
    Status begin() {
        if (begun_ || handle_ == KAIROS_HANDLE_INVALID) return {};
        TRY(current_thread().handles().begin_use(handle_, current_thread().waiter()));
        begun_ = true;
        return {};
    }

  private:
    Object& object_;
    const HandleValue handle_;
    bool begun_ = false;
};
