// Other harts: starting them and interrupting them.
#pragma once

#include <cstdint>

struct Hart;

namespace arch {

// Starts a hart, which will call start_secondary_hart (entry.h) on the given stack. The topmost 4
// KiB of that stack are kept for reporting a fault when the stack in use cannot be used, so it
// should be larger than that by what the hart's idle thread needs; it is never given back. False if
// the firmware refuses.
[[nodiscard]] bool start_hart(Hart& hart, void* stack_top);

// Makes `hart` take an inter-processor interrupt (entry.h: on_ipi) as soon as it lets interrupts
// in. What was written before is visible to the handler.
void send_ipi(Hart& hart);

// For the end of the machine: makes all other harts park, wherever they take interrupts or relax(),
// and waits for them, a tenth of a second at most. If several harts call this, the first goes on
// and the others park in the call; the first may call again and returns at once. From here on,
// HartBlock::stopped tells who has parked, and stopped_pc and stopped_frame_pointer where
// (backtrace_from takes them).
void stop_other_harts();

}  // namespace arch
