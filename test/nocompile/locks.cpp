// Guarded data is touched under its lock. Clang's analysis holds this; g++ does not know it.
// compiler: clang
#include "sync/spin_lock.h"

class Counter {
  public:
    void add() {
#if CASE == 0
        LockGuard held(lock_);
        ++count_;
#elif CASE == 1  // error: requires holding spin lock
        ++count_;
#elif CASE == 2  // error: requires holding spin lock
        { LockGuard held(lock_); }
        add_locked();
#elif CASE == 3  // error: is still held at the end of function
        lock_.lock();
        ++count_;
#endif
    }

  private:
    void add_locked() REQUIRES(lock_) { ++count_; }

    SpinLock lock_{LockRank::kObject};
    int count_ GUARDED_BY(lock_) = 0;
};

void example(Counter& counter) { counter.add(); }
