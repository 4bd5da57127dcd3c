// Stopping for good: what a hart does when another one ends the machine (smp.h).
#pragma once

#include <cstdint>

namespace arch {

// Whether stop_other_harts was called, by whichever hart.
bool machine_is_stopping();

// Notes where this hart was and parks it.
[[noreturn]] void stop_here(uint64_t pc, uint64_t frame_pointer);

}  // namespace arch
