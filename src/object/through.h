// How a call came to its object: through a handle of its process, or through a descriptor. Revoking
// that ends the call, so a call about to block goes back to where it came through (sched/
// blocking_use.h).
#pragma once

#include <cstdint>

#include "base/result.h"

class Waiter;

// A table in which a call found what it came through.
class CapTable {
  public:
    // The calling thread is about to block through what it found as `which`: revocation ends the
    // call from here to Lineage::end_use. -ECANCELED if it was revoked since; if it was closed or
    // moved since, that disturbs nothing.
    virtual Status begin_use(uint64_t which, Waiter& waiter) = 0;

  protected:
    ~CapTable() = default;
};

struct Through {
    CapTable* table = nullptr;  // null: nobody ends the call by revoking anything
    uint64_t which = 0;         // the table's own name for it
};
