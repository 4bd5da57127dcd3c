// Starting the first program, the only one that the kernel loads.
#pragma once

#include "object/budget.h"
#include "platform/machine.h"
#include "process/boot_options.h"

// Finds the program in the boot archive, loads it and makes it ready, with all authority there is.
// Stops the machine with a message if there is no archive, no such program, or it cannot be loaded.
void start_first_program(Budget& budget, const platform::Machine& machine,
                         const BootOptions& options);
