// The time in which a call may block through a handle or a descriptor: revoking it ends the call
// (-ECANCELED).
#pragma once

#include "object/lineage.h"
#include "sched/thread.h"

class BlockingUse {
  public:
    // `object`, which the caller counts, is what was found there.
    BlockingUse(Object& object, Through through) : object_(object), through_(through) {}
    ~BlockingUse() {
        if (begun_) Lineage::end_use(object_, current_thread().waiter());
    }
    BlockingUse(const BlockingUse&) = delete;
    BlockingUse& operator=(const BlockingUse&) = delete;

    // Before each sleep; does its work the first time. -ECANCELED. Any lock below kHandleTable may
    // be held.
    Status begin() {
        if (begun_ || through_.table == nullptr) return {};
        TRY(through_.table->begin_use(through_.which, current_thread().waiter()));
        begun_ = true;
        return {};
    }

  private:
    Object& object_;
    const Through through_;
    bool begun_ = false;
};
