// Other harts: starting them and interrupting them.
#pragma once

#include <cstdint>

struct Hart;

namespace arch {

// Starts a hart, which will call start_secondary_hart (entry.h) on the given stack. False if the
// firmware refuses.
[[nodiscard]] bool start_hart(Hart& hart, void* stack_top);

// Makes `hart` take an inter-processor interrupt (entry.h: on_ipi) as soon as it lets interrupts
// in. What was written before is visible to the handler.
void send_ipi(Hart& hart);

}  // namespace arch
