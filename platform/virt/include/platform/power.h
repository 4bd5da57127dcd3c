// Turning the machine off.
#pragma once

#include <cstdint>

namespace platform {

// Ends the emulator with exit status `status & 0xff`.
[[noreturn]] void power_off(uint32_t status);

}  // namespace platform
