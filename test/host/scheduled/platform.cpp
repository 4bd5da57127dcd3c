// A machine without devices, for the parts of the kernel that name them.
#include <unistd.h>

#include <cstdlib>

#include "platform/interrupts.h"
#include "platform/machine.h"
#include "platform/power.h"
#include "trace/log.h"

void console_write_program_output(const char* bytes, size_t size) {
    (void)!write(STDERR_FILENO, bytes, size);
}

namespace platform {

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
