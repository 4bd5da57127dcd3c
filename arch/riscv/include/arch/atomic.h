// Plain stores to atomic words: what a relaxed store is on this machine. The compiler in use makes
// an atomic exchange of it, which is too dear for words that are written by the dozen.
#pragma once

#include <atomic>
#include <cstdint>

namespace arch {

inline void store_relaxed(std::atomic<uint64_t>& to, uint64_t value) {
    asm volatile("sd %1, %0" : "=m"(to) : "r"(value));
}

}  // namespace arch
