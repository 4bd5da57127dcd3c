// The UART (16550, registers one byte apart), driven by polling; before it is known, the firmware's
// console. Line settings are as the firmware left them.
#include "platform/console.h"

#include "arch/firmware.h"
#include "devices.h"

namespace platform {
namespace {

constexpr uint64_t kTransmit = 0;
constexpr uint64_t kLineStatus = 5;
constexpr uint8_t kTransmitReady = 0x20;

Registers uart;

void put(char character) {
    if (!uart.present()) {
        arch::firmware_put(character);
        return;
    }
    while ((uart.read_byte(kLineStatus) & kTransmitReady) == 0) {}
    uart.write_byte(kTransmit, static_cast<uint8_t>(character));
}

}  // namespace

void use_uart(PhysicalRange registers) { uart = Registers(registers); }

void console_write(const char* bytes, size_t size) {
    for (size_t i = 0; i < size; ++i) put(bytes[i]);
}

}  // namespace platform
