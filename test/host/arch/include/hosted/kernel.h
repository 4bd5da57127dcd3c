// What a unit test needs of a running kernel: frames, harts and a root budget.
#pragma once

#include "memory/address_space.h"
#include "object/budget.h"

namespace hosted {

inline constexpr uint32_t kHarts = 4;
// The part of RAM that the kernel has; the rest is for tests that want memory of their own.
inline constexpr uint64_t kKernelRam = uint64_t{64} << 20;

// Starts machine and kernel if that has not been done, lets the caller be hart 0, and returns the
// root budget.
Budget& kernel();

// The hart that the caller is runs user code in an address space from now on, whose faults that
// resolves; null: in none. The caller keeps the address space until then.
void run_in(AddressSpace* space);

// Runs all work that is waiting: objects without references are taken down and freed, on every
// hart. Ends as hart 0.
void settle();

}  // namespace hosted
