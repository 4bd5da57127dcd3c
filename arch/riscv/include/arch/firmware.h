// The firmware, for what has to be said or done before the platform knows its own devices.
#pragma once

namespace arch {

void firmware_put(char character);
// Turns the machine off, without a status.
[[noreturn]] void firmware_power_off();

}  // namespace arch
