// The kernel's only lock: a spin lock with a rank. Interrupts are off whenever kernel code runs
// (but for marked windows, which no lock holder opens), so a lock is never contended by its own
// hart. A hart takes locks only in rising rank; a debug build stops at the first violation.
//
// Test-and-set with a read-only spin: fair order is given up for the shortest uncontended path,
// which every critical section here is short enough to afford.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/assert.h"
#include "sync/annotations.h"

// Outermost first. Two locks of one rank are never held together.
enum class LockRank : uint8_t {
    kProcess = 10,       // a process's threads and state
    kFutex = 15,         // a bucket of the futex table
    kChannel = 20,       // a pair of endpoints, or the two ends of a pipe
    kObject = 30,        // an event, timer, interrupt, thread or process: its base wait source
    kPort = 40,          // a port's queues
    kPoll = 45,          // a poll that is told
    kHandleTable = 50,   // a process's handles, or its descriptors
    kCollection = 55,    // the search for endpoints that nobody can reach
    kLineage = 60,       // the delegation forest of one object
    kAddressSpace = 70,  // mappings and page table
    kMemoryObject = 80,  // page frames of a memory object
    kDeadline = 90,      // a hart's deadlines
    kRegistry = 100,     // a shard of the object registry
    kReclaim = 110,      // memory that waits for a grace period
    kObjectCache = 120,  // an object cache
    kKernelStack = 122,  // the pool of kernel stacks
    kAsid = 125,         // the free address-space numbers
    kFrames = 130,       // the page-frame allocator
    kInterruptController = 135,  // the enable words of the interrupt controller
    kConsole = 140,              // the debug console
};

// Debug builds: the ranks that this hart holds, outermost first.
void note_lock_taken(LockRank rank);
void note_lock_released(LockRank rank);

class CAPABILITY("spin lock") SpinLock {
  public:
    constexpr explicit SpinLock(LockRank rank) : rank_(rank) {}
    SpinLock(const SpinLock&) = delete;
    SpinLock& operator=(const SpinLock&) = delete;

    void lock() ACQUIRE() {
        if constexpr (kDebugBuild) note_lock_taken(rank_);
        while (held_.exchange(1, std::memory_order_acquire) != 0) [[unlikely]] {
                wait_until_free();
            }
    }
    bool try_lock() TRY_ACQUIRE(true) {
        if (held_.exchange(1, std::memory_order_acquire) != 0) return false;
        if constexpr (kDebugBuild) note_lock_taken(rank_);
        return true;
    }
    void unlock() RELEASE() {
        if constexpr (kDebugBuild) note_lock_released(rank_);
        held_.store(0, std::memory_order_release);
    }
    // How long a hart waits for a lock before it stops the machine with a report; 0: for ever.
    static void set_patience(uint64_t nanoseconds) { patience_ns_ = nanoseconds; }
    bool held_by_someone() const { return held_.load(std::memory_order_relaxed) != 0; }
    LockRank rank() const { return rank_; }

  private:
    [[gnu::cold, gnu::noinline]] void wait_until_free();

    std::atomic<uint32_t> held_{0};
    LockRank rank_;
    static uint64_t patience_ns_;
};

// Holds a lock for a scope; may be released early and taken again.
class SCOPED_CAPABILITY LockGuard {
  public:
    explicit LockGuard(SpinLock& lock) ACQUIRE(lock) : lock_(&lock), held_(true) { lock.lock(); }
    ~LockGuard() RELEASE() {
        if (held_) lock_->unlock();
    }
    LockGuard(const LockGuard&) = delete;
    LockGuard& operator=(const LockGuard&) = delete;

    void unlock() RELEASE() {
        held_ = false;
        lock_->unlock();
    }
    void lock() ACQUIRE() {
        lock_->lock();
        held_ = true;
    }
    bool guards(const SpinLock& lock) const { return held_ && lock_ == &lock; }

  private:
    SpinLock* lock_;
    bool held_;
};
