// Address-space numbers: a fixed pool, as large as the harts' registers and a table here allow.
// Number 0 is never given out: the kernel's own address space has it, and so have user address
// spaces that came when the pool was empty. Those are flushed at every switch to them.
#pragma once

#include <cstdint>

namespace arch {

// Finds out how many numbers the hardware tells apart. Once, on the first hart.
void init_asids();

// A number that no hart's TLB has entries of, or 0 if all are taken.
uint16_t allocate_asid();
// Gives a number back, 0 included. Every hart has forgotten it.
void free_asid(uint16_t asid);

}  // namespace arch
