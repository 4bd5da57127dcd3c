// The firmware's services (RISC-V Supervisor Binary Interface), as far as the kernel uses them.
#pragma once

#include <cstdint>

namespace arch::sbi {

// Extensions, by the numbers of the specification.
inline constexpr uint64_t kBase = 0x10;
inline constexpr uint64_t kTime = 0x54494d45;
inline constexpr uint64_t kIpi = 0x735049;
inline constexpr uint64_t kRemoteFence = 0x52464e43;
inline constexpr uint64_t kHartState = 0x48534d;
inline constexpr uint64_t kSystemReset = 0x53525354;
inline constexpr uint64_t kLegacyPutchar = 1;

inline constexpr int64_t kAlreadyAvailable = -6;

struct Reply {
    int64_t error;  // 0: done
    uint64_t value;
};

inline Reply call(uint64_t extension, uint64_t function, uint64_t argument0 = 0,
                  uint64_t argument1 = 0, uint64_t argument2 = 0, uint64_t argument3 = 0,
                  uint64_t argument4 = 0) {
    register uint64_t a0 asm("a0") = argument0;
    register uint64_t a1 asm("a1") = argument1;
    register uint64_t a2 asm("a2") = argument2;
    register uint64_t a3 asm("a3") = argument3;
    register uint64_t a4 asm("a4") = argument4;
    register uint64_t a6 asm("a6") = function;
    register uint64_t a7 asm("a7") = extension;
    asm volatile("ecall"
                 : "+r"(a0), "+r"(a1)
                 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
                 : "memory");
    return {static_cast<int64_t>(a0), a1};
}

inline bool has_extension(uint64_t extension) {
    const Reply reply = call(kBase, 3, extension);
    return reply.error == 0 && reply.value != 0;
}

// One character on the firmware's console; the only output there is before a UART is known.
inline void put_character(char character) {
    call(kLegacyPutchar, 0, static_cast<unsigned char>(character));
}

// Absolute, in ticks of the time CSR; all ones: never.
inline void set_timer(uint64_t ticks) { call(kTime, 0, ticks); }

// A set of harts is a mask of hardware ids counted from a base.
struct HartSet {
    uint64_t mask;
    uint64_t base;
};
inline void send_ipi(HartSet harts) { call(kIpi, 0, harts.mask, harts.base); }
inline void remote_fence_all(HartSet harts, uint64_t start, uint64_t bytes) {
    call(kRemoteFence, 1, harts.mask, harts.base, start, bytes);
}
inline void remote_fence_asid(HartSet harts, uint64_t start, uint64_t bytes, uint64_t asid) {
    call(kRemoteFence, 2, harts.mask, harts.base, start, bytes, asid);
}

// The hart enters at `entry` (physical, translation off) with a0 = its id and a1 = `argument`.
inline Reply start_hart(uint64_t hart_id, uint64_t entry, uint64_t argument) {
    return call(kHartState, 0, hart_id, entry, argument);
}

inline void shut_down() { call(kSystemReset, 0, 0, 0); }

}  // namespace arch::sbi
