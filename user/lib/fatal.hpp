// The end of a program that cannot go on.
#pragma once

namespace kairos::internal {

// Writes `problem`, and `detail` if there is one, to stderr as one line, and aborts.
// Needs no memory.
[[noreturn]] void fatal(const char* problem, const char* detail = nullptr);

}  // namespace kairos::internal
