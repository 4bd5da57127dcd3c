// The firmware's console and power switch.
#include "arch/firmware.h"

#include "arch/backtrace.h"
#include "sbi.h"

namespace arch {

void firmware_put(char character) { sbi::put_character(character); }

void firmware_power_off() {
    sbi::shut_down();
    halt();
}

}  // namespace arch
