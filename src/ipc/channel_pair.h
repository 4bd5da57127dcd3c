// What the two endpoints of a channel share: the lock, and the way to each other.
#pragma once

#include <atomic>

#include "base/types.h"
#include "sync/spin_lock.h"

class Endpoint;

class ChannelPair {
  public:
    // -ENOMEM: null.
    static ChannelPair* allocate();
    // Each endpoint lets go once, when its memory goes; the second frees the pair.
    void let_go();

    SpinLock lock{LockRank::kChannel};
    std::atomic<Endpoint*> ends[2] = {};  // null once that end is closed; written under the lock
    ObjectId ids[2] = {};                 // for reports; set before the pair is shared

  private:
    std::atomic<uint32_t> users_{2};
};
