// Control and status registers, by number, for C++.
#pragma once

#include <cstdint>

namespace arch::csr {

inline constexpr unsigned kSstatus = 0x100;
inline constexpr unsigned kSie = 0x104;
inline constexpr unsigned kStvec = 0x105;
inline constexpr unsigned kScounteren = 0x106;
inline constexpr unsigned kSscratch = 0x140;
inline constexpr unsigned kSip = 0x144;
inline constexpr unsigned kStimecmp = 0x14d;
inline constexpr unsigned kSatp = 0x180;
inline constexpr unsigned kTime = 0xc01;

// Bits of sie and sip.
inline constexpr uint64_t kSoftwareInterrupt = 1u << 1;
inline constexpr uint64_t kTimerInterrupt = 1u << 5;
inline constexpr uint64_t kExternalInterrupt = 1u << 9;

// Bits of scounteren: user mode may read the cycle, time and retired-instruction counters.
inline constexpr uint64_t kAllCounters = 7;

template <unsigned kNumber>
inline uint64_t read() {
    uint64_t value;
    asm volatile("csrr %0, %1" : "=r"(value) : "i"(kNumber) : "memory");
    return value;
}

template <unsigned kNumber>
inline void write(uint64_t value) {
    asm volatile("csrw %0, %1" : : "i"(kNumber), "r"(value) : "memory");
}

template <unsigned kNumber>
inline void set(uint64_t bits) {
    asm volatile("csrs %0, %1" : : "i"(kNumber), "r"(bits) : "memory");
}

template <unsigned kNumber>
inline void clear(uint64_t bits) {
    asm volatile("csrc %0, %1" : : "i"(kNumber), "r"(bits) : "memory");
}

}  // namespace arch::csr
