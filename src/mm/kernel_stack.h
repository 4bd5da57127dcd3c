// Kernel stacks: each in a slot of its own in the stack region, with an unmapped guard page below.
// A few that are not in use stay mapped, so that threads come and go without touching page tables.
#pragma once

#include <utility>

#include "base/assert.h"
#include "base/result.h"
#include "base/types.h"

namespace mm {

class KernelStack {
  public:
    static constexpr uint64_t kBytes = kDebugBuild ? 16384 : 8192;

    KernelStack() = default;
    KernelStack(KernelStack&& other) noexcept : base_(std::exchange(other.base_, {})) {}
    KernelStack& operator=(KernelStack&& other) noexcept {
        std::swap(base_, other.base_);
        return *this;
    }
    ~KernelStack();

    // -ENOMEM.
    static Result<KernelStack> allocate();

    void* top() const { return reinterpret_cast<void*>(base_.value + kBytes); }
    // Gives up ownership for good: the stack of a hart's own context.
    void* release_for_ever() {
        return reinterpret_cast<void*>(std::exchange(base_, {}).value + kBytes);
    }

  private:
    explicit KernelStack(VirtualAddress base) : base_(base) {}

    VirtualAddress base_{};  // 0: none
};

}  // namespace mm
