// A 16550-compatible UART in user mode: its registers mapped uncached, its interrupt line as an
// object on the server's port. Receives by interrupt, transmits by polling.
//
// Not here: modem lines, line speed and format; the firmware has set them.
#pragma once

#include <kairos/memory.hpp>
#include <kairos/objects.hpp>

#include <array>
#include <cstdint>
#include <string_view>

#include "apps/common/byte_sink.hpp"

namespace console {

// Where a UART is: physical addresses and an interrupt line.
struct UartPlace {
    uint64_t base = 0;
    uint64_t size = 0;  // of the RESOURCE: whole pages
    uint32_t interrupt = 0;
};

class Uart final : public common::ByteSink {
  public:
    // Takes possession of the device: needs RESOURCEs that cover its registers and its interrupt.
    // -EBUSY while another driver has it; other errors as of the calls behind.
    static kairos::Result<Uart> open(const UartPlace& place, const kairos::Resource& registers,
                                     const kairos::Resource& interrupts);

    // Raised when something has arrived, once after each rearm().
    const kairos::Interrupt& interrupt() const { return interrupt_; }

    // Begins to receive.
    void start();

    // What has arrived; good until the next call. Empty: nothing more. A burst longer than the
    // device's own buffer comes in several parts.
    std::string_view receive();

    // Lets the next interrupt come. What has not been received raises it at once.
    void rearm() { interrupt_.acknowledge(); }

    // Sends all of `bytes`. Bytes that a stuck transmitter does not take are dropped.
    void write(std::string_view bytes) override;

  private:
    Uart(kairos::Mapping mapping, size_t offset, kairos::Interrupt interrupt)
        : mapping_(std::move(mapping)),
          registers_(reinterpret_cast<volatile uint8_t*>(mapping_.data() + offset)),
          interrupt_(std::move(interrupt)) {}

    bool wait_for_transmitter() const;

    kairos::Mapping mapping_;
    volatile uint8_t* registers_;
    kairos::Interrupt interrupt_;
    std::array<char, 64> received_{};
};

}  // namespace console
