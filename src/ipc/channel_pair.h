// What the two endpoints of a channel share: the lock, and the way to each other.
#pragma once

#include <atomic>

#include "base/types.h"
#include "object/budget.h"
#include "sync/spin_lock.h"

class Endpoint;

class ChannelPair {
  public:
    // -ENOMEM: null.
    static ChannelPair* allocate();
    // Each endpoint lets go once, when its memory goes; the second frees the pair.
    void let_go();
    // Each endpoint says once that it has nothing left but its memory; with the second the charge
    // for the pair goes back.
    void lose_end();

    SpinLock lock{LockRank::kChannel};
    std::atomic<Endpoint*> ends[2] = {};  // null once that end is closed; written under the lock
    ObjectId ids[2] = {};                 // for reports; set before the pair is shared
    Charge charge;                        // for the pair; likewise

  private:
    std::atomic<uint32_t> users_{2};
    std::atomic<uint32_t> ends_left_{2};
};
