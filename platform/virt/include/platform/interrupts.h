// The external interrupt controller (PLIC). Lines are numbered from 1.
#pragma once

#include <cstdint>
#include <optional>

#include "base/types.h"

namespace platform {

// Once, on the first hart; lines start masked. Then on every hart for itself.
void interrupts_init();
void interrupts_init_hart();

uint32_t interrupt_count();  // valid lines are 1 .. count
// Lets a line interrupt `hart` (and only it), or keeps it from interrupting anybody. From any hart;
// the caller serialises per line.
void interrupt_unmask(uint32_t line, HartIndex hart);
void interrupt_mask(uint32_t line);

// The line that interrupts this hart now, if any; until completed it does not interrupt again.
std::optional<uint32_t> interrupt_claim();
void interrupt_complete(uint32_t line);

}  // namespace platform
