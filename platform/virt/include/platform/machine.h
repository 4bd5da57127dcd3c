// What the device tree says of the machine, read once at boot.
#pragma once

#include <cstdint>

#include "base/types.h"

namespace platform {

struct PhysicalRange {
    PhysicalAddress base{};
    uint64_t size = 0;

    constexpr bool contains(PhysicalRange other) const {
        return other.base >= base && other.size <= size &&
               other.base.value - base.value <= size - other.size;
    }
    constexpr bool overlaps(PhysicalRange other) const {
        return base.value < other.base.value + other.size && other.base.value < base.value + size;
    }
};

inline constexpr uint32_t kMaxMemoryRanges = 8;
inline constexpr uint32_t kMaxReservedRanges = 16;
inline constexpr uint32_t kMaxCommandLine = 2048;

struct Machine {
    PhysicalRange memory[kMaxMemoryRanges];
    uint32_t memory_count = 0;
    // Not to be used as free memory, whole pages: firmware, the kernel's image, the device tree
    // itself, the boot archive.
    PhysicalRange reserved[kMaxReservedRanges];
    uint32_t reserved_count = 0;
    PhysicalRange archive;  // size 0: none was given
    PhysicalRange uart;
    uint32_t uart_interrupt = 0;
    uint32_t timebase_hz = 0;
    bool has_sstc = false;  // every hart has the stimecmp register
    uint64_t hart_ids[kMaxHarts];
    uint32_t hart_count = 0;  // those that exist and are usable; the first is the one that booted
    uint32_t harts_ignored = 0;  // usable, but beyond kMaxHarts
    char command_line[kMaxCommandLine];
};

// The machine as read_device_tree found it.
const Machine& machine();

// Bits that whoever started the machine drew at random; zeros where there are none.
struct Seed {
    static constexpr uint32_t kWords = 4;
    uint64_t words[kWords];
};
// What the tree's rng-seed and kaslr-seed say. To be taken once: it is nowhere else afterwards, and
// taken again it is zeros.
Seed take_seed();

// Reads the tree. On a missing or broken part says what is wrong on the console (through SBI if
// need be) and stops the machine. Call once, on the first hart, with the direct map in place.
void read_device_tree(PhysicalAddress device_tree, uint64_t boot_hardware_id);

}  // namespace platform
