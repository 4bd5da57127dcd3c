// A machine without devices, for the parts of the kernel that name them.
#include <unistd.h>

#include <cstdlib>

#include "platform/console.h"
#include "platform/interrupts.h"
#include "platform/machine.h"
#include "platform/power.h"

namespace platform {

void console_write(const char* bytes, size_t size) { (void)!write(STDERR_FILENO, bytes, size); }

void interrupts_init() {}
void interrupts_init_hart() {}
uint32_t interrupt_count() { return 0; }
void interrupt_unmask(uint32_t, HartIndex) {}
void interrupt_mask(uint32_t) {}
std::optional<uint32_t> interrupt_claim() { return std::nullopt; }
void interrupt_complete(uint32_t) {}

void power_off(uint32_t) { std::abort(); }

const Machine& machine() {
    static const Machine machine{};
    return machine;
}

}  // namespace platform
