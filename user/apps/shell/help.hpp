// What the shell says about itself and its commands.
#pragma once

#include "apps/shell/terminal.hpp"

namespace shell {

// One line on what this machine is and what to type first.
void print_banner(Terminal& terminal);

// All commands, or (if not null) the one called `about`.
void print_help(Terminal& terminal, const char* about);

}  // namespace shell
