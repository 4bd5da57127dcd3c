// What this program was given when it started (abi/startup.h). Written once, before main.
#pragma once

#include <kairos/abi/startup.h>
#include <kairos/base.h>

namespace kairos::internal {

struct ProgramImage {
    kairos_handle_t memory;  // that holds the program's ELF file
    uint64_t offset;         // where it lies in it
    uint64_t size;
};

ProgramImage own_image();

// Takes in what the startup messages brought.
void set_program(const kairos_startup& startup);
// The handle for the place `which` (KAIROS_BOOT_*, the start protocol's own too); one that has no
// place is closed.
void set_bootstrap(uint32_t which, kairos_handle_t handle);
kairos_handle_t get_bootstrap(uint32_t which);

}  // namespace kairos::internal
