// Kernel stacks: each in a slot of its own in the stack region, with an unmapped guard page below,
// so that a stack that overflows faults and overwrites nothing.
//
//     slot n:   | guard page | kBytes of stack, growing down |   slot n+1: | guard page | ...
//
// Fewer than kMaxPooled stacks that are not in use stay mapped, so that threads come and go without
// touching page tables; the rest is unmapped, and its frames freed.
#pragma once

#include <utility>

#include "base/assert.h"
#include "base/result.h"
#include "base/types.h"
#include "mm/object_cache.h"

namespace mm {

// Owns one stack. Move-only.
class KernelStack {
  public:
    static constexpr uint64_t kBytes = kDebugBuild ? 16384 : 8192;
    static constexpr uint32_t kMaxPooled = 16;

    KernelStack() = default;
    KernelStack(KernelStack&& other) noexcept : base_(std::exchange(other.base_, {})) {}
    KernelStack& operator=(KernelStack&& other) noexcept {
        std::swap(base_, other.base_);
        return *this;
    }
    // Nobody runs on it any more. Takes the pool's lock.
    ~KernelStack();

    // What is on it is left from whoever had it before. -ENOMEM: no frame, or no slot.
    static Result<KernelStack> allocate();

    void* top() const { return top_of(base_); }
    // Gives up ownership for good: the stack of a hart's own context.
    void* release_for_ever();

    // Of all stacks together, with the tables that map them.
    static HandedOut handed_out();

    // The top of the stack that ran over if `address` lies in a guard page, or null. Takes no lock
    // and reads no memory: for panics.
    static void* guarded_by(VirtualAddress address);

  private:
    explicit KernelStack(VirtualAddress base) : base_(base) {}
    static void* top_of(VirtualAddress base) {
        return reinterpret_cast<void*>(base.value + kBytes);
    }

    VirtualAddress base_{};  // 0: none
};

}  // namespace mm
