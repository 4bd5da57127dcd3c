// The tables of a process that hold caps, as far as the delegation tree and calls that block know
// them: handles and descriptors. A call came to its object through one of them; revoking what it
// came through ends the call, so a call about to block goes back there (sched/blocking_use.h).
#pragma once

#include <cstdint>

#include "base/result.h"

class Cap;
class Object;
class Waiter;

class CapTable {
  public:
    // Whose it is; 0: nobody's.
    uint64_t process_id() const;
    // The calling thread is about to block through what it found as `which`: revocation ends the
    // call from here to Lineage::end_use. -ECANCELED if it was revoked since; if it was closed or
    // moved since, that disturbs nothing.
    virtual Status begin_use(uint64_t which, Waiter& waiter) = 0;

  protected:
    // `process` is there as long as the table.
    explicit CapTable(const Object* process) : process_(process) {}
    ~CapTable() = default;

  private:
    friend class Lineage;

    // A cap that names this table as its own is being revoked: takes it out, so that nobody holds
    // it any more. False if that is not possible, and who holds it will close it.
    virtual bool forget(Cap& cap) = 0;

    const Object* const process_;
};

struct Through {
    CapTable* table = nullptr;  // null: nobody ends the call by revoking anything
    uint64_t which = 0;         // the table's own name for it
};
