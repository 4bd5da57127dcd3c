// console BASE SIZE INTERRUPT: the program, for the UART whose registers lie in SIZE bytes of
// whole pages from BASE on, and which raises INTERRUPT. See console.hpp and docs/servers.md.
#include <cstdio>
#include <cstdlib>

#include "protocols/boot.h"
#include "servers/console/console.hpp"

namespace {

kairos::Result<> serve(const console::UartPlace& place) {
    const kairos::Resource registers(kairos::take_bootstrap(KAIROS_BOOT_UART_MMIO));
    const kairos::Resource interrupts(kairos::take_bootstrap(KAIROS_BOOT_UART_INTERRUPT));
    auto uart = console::Uart::open(place, registers, interrupts);
    if (!uart) return std::unexpected(uart.error());
    console::Console server(std::move(*uart));
    return server.run(kairos::Channel(kairos::take_bootstrap(KAIROS_BOOT_LISTEN)));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: console BASE SIZE INTERRUPT\n");
        return 2;
    }
    const auto served = serve({
        .base = std::strtoull(argv[1], nullptr, 0),
        .size = std::strtoull(argv[2], nullptr, 0),
        .interrupt = static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 0)),
    });
    if (!served) std::fprintf(stderr, "console: %s\n", kairos::text_of(served.error()));
    return 1;
}
