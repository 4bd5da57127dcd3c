// What the device tree tells the drivers of this folder and nobody else.
#pragma once

#include <cstdint>

#include "base/types.h"
#include "platform/machine.h"

namespace platform {

// A range of device registers, as the kernel sees it.
class Registers {
  public:
    Registers() = default;
    explicit Registers(PhysicalRange range);
    bool present() const { return base_ != 0; }
    uint8_t read_byte(uint64_t offset) const {
        return *reinterpret_cast<volatile uint8_t*>(base_ + offset);
    }
    void write_byte(uint64_t offset, uint8_t value) const {
        *reinterpret_cast<volatile uint8_t*>(base_ + offset) = value;
    }
    uint32_t read_word(uint64_t offset) const {
        return *reinterpret_cast<volatile uint32_t*>(base_ + offset);
    }
    void write_word(uint64_t offset, uint32_t value) const {
        *reinterpret_cast<volatile uint32_t*>(base_ + offset) = value;
    }

  private:
    uint64_t base_ = 0;
};

// The interrupt controller. It interrupts harts in contexts, one for each hart and mode.
struct Plic {
    PhysicalRange registers;
    uint32_t lines = 0;
    uint32_t contexts[kMaxHarts];  // of machine().hart_ids[i], in supervisor mode
};

const Plic& plic();

void use_uart(PhysicalRange registers);
void use_test_device(PhysicalRange registers);

}  // namespace platform
