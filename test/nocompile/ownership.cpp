// What owns something is moved or stays; it is never copied, and never made from nothing.
#include "object/handle_table.h"
#include "object/lineage.h"
#include "wait/wait_source.h"

extern SpinLock some_lock;

void example(OwnedCap& cap, CapChain& chain, TransferReservation& leaving, Charge& charge,
             HandleTable& table, Object& object) {
#if CASE == 0
    OwnedCap mine = std::move(cap);
    CapChain all = std::move(chain);
    Ref<Object> kept(object);
    LockGuard held(some_lock);
#elif CASE == 1  // error: use of deleted|deleted function|implicitly-deleted|call to implicitly
    OwnedCap mine = cap;
#elif CASE == 2  // error: use of deleted|deleted function|implicitly-deleted|call to implicitly
    CapChain all = chain;
#elif CASE == 3  // error: use of deleted|deleted function|call to deleted
    TransferReservation twice = leaving;
#elif CASE == 4  // error: use of deleted|deleted function|call to deleted|implicitly
    Charge twice = charge;
#elif CASE == 5  // error: use of deleted|deleted function|call to deleted
    LockGuard held(some_lock);
    LockGuard twice = held;
#elif CASE == 6  // error: private|protected
    Lineage::allocate(table.budget_);
#elif CASE == 7  // error: private|protected
    object.end_public_life();
#elif CASE == 8  // error: protected|private
    delete &object;
#endif
    (void)cap, (void)chain, (void)leaving, (void)charge, (void)table, (void)object;
}
