// The monotonic clock and each hart's one-shot timer.
#pragma once

#include "base/types.h"

namespace arch {

// Tells how fast the time CSR counts and whether every hart has the Sstc timer; otherwise timers go
// through the firmware. Once, at boot, before anything else here.
void init_time(uint32_t timebase_hz, bool has_sstc);

// Nanoseconds since the machine's clock started. The same on every hart.
Instant now();

// The clock as the hardware counts it, and what a count means: cheaper than now() for what is
// recorded often and read seldom.
uint64_t ticks();
Instant instant_of(uint64_t ticks);

// Asks for a timer interrupt on this hart at `when`, not before it, replacing what was asked
// before; Instant::never() asks for none. A time in the past interrupts at once.
void set_timer(Instant when);

}  // namespace arch
