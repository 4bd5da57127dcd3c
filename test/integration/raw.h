// System calls by number, with every register as wanted: for what the functions of the SDK cannot
// express.
#pragma once

#include <kairos/kairos.h>
#include <kairos/syscalls.h>

#include <type_traits>

inline int64_t raw_call(uint64_t number, uint64_t a0 = 0, uint64_t a1 = 0, uint64_t a2 = 0,
                        uint64_t a3 = 0, uint64_t a4 = 0, uint64_t a5 = 0) {
    register uint64_t r0 asm("a0") = a0;
    register uint64_t r1 asm("a1") = a1;
    register uint64_t r2 asm("a2") = a2;
    register uint64_t r3 asm("a3") = a3;
    register uint64_t r4 asm("a4") = a4;
    register uint64_t r5 asm("a5") = a5;
    register uint64_t r7 asm("a7") = number;
    asm volatile("ecall"
                 : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r7)
                 :
                 : "memory", "a6", "t0", "t1", "t2", "t3", "t4", "t5", "t6");
    return static_cast<int64_t>(r0);
}

// A value of 32 bits with something else in the upper half of its register.
inline uint64_t dirty(uint32_t value) { return 0xdeadbeef00000000u | value; }

template <typename T>
uint64_t address(T* pointer) {
    return reinterpret_cast<uint64_t>(pointer);
}
