// See arch/riscv/include/arch/atomic.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace arch {

inline void store_relaxed(std::atomic<uint64_t>& to, uint64_t value) {
    to.store(value, std::memory_order_relaxed);
}

}  // namespace arch
