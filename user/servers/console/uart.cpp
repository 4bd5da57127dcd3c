// The UART driver; see the header.
#include "servers/console/uart.hpp"

namespace console {

namespace {

// Registers of the 16550, as byte offsets.
constexpr size_t kData = 0;  // read: a received byte; write: a byte to transmit
constexpr size_t kInterruptEnable = 1;
constexpr size_t kFifoControl = 2;
constexpr size_t kModemControl = 4;
constexpr size_t kLineStatus = 5;

constexpr uint8_t kReceiveInterrupt = 1 << 0;
constexpr uint8_t kFifoOn = 1 << 0;
constexpr uint8_t kOutput2 = 1 << 3;  // gates the interrupt line on many boards
constexpr uint8_t kDataReady = 1 << 0;
constexpr uint8_t kTransmitterEmpty = 1 << 5;

constexpr size_t kTransmitFifo = 16;  // bytes that an empty transmitter takes at once

// Far longer than a working UART needs for its buffer at any usual speed.
constexpr uint32_t kTransmitPolls = 10'000'000;

}  // namespace

kairos::Result<Uart> Uart::open(const UartPlace& place, const kairos::Resource& registers,
                                const kairos::Resource& interrupts) {
    const uint64_t first_page = place.base & ~uint64_t{KAIROS_PAGE_SIZE - 1};
    kairos_handle_t device = KAIROS_HANDLE_INVALID;
    const kairos_status_t status =
        kairos_memory_create_physical(registers.get(), first_page, place.size, &device);
    if (status < 0) return kairos::failure(status);
    const kairos::Memory memory(device);  // the mapping outlives the handle
    auto mapping = memory.map(0, place.size, KPROT_READ | KPROT_WRITE);
    if (!mapping) return std::unexpected(mapping.error());
    auto interrupt = kairos::Interrupt::create(interrupts, place.interrupt);
    if (!interrupt) return std::unexpected(interrupt.error());
    return Uart(std::move(*mapping), place.base - first_page, std::move(*interrupt));
}

void Uart::start() {
    registers_[kFifoControl] = kFifoOn;
    registers_[kModemControl] = registers_[kModemControl] | kOutput2;
    registers_[kInterruptEnable] = kReceiveInterrupt;
    rearm();
}

std::string_view Uart::receive() {
    size_t count = 0;
    while (count < received_.size() && (registers_[kLineStatus] & kDataReady) != 0) {
        received_[count++] = static_cast<char>(registers_[kData]);
    }
    return {received_.data(), count};
}

void Uart::write(std::string_view bytes) {
    while (!bytes.empty() && wait_for_transmitter()) {
        const std::string_view burst = bytes.substr(0, kTransmitFifo);
        for (char byte : burst) registers_[kData] = static_cast<uint8_t>(byte);
        bytes.remove_prefix(burst.size());
    }
}

bool Uart::wait_for_transmitter() const {
    for (uint32_t poll = 0; poll < kTransmitPolls; ++poll) {
        if ((registers_[kLineStatus] & kTransmitterEmpty) != 0) return true;
    }
    return false;
}

}  // namespace console
