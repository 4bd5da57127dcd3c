// The machine's serial line, as the kernel uses it: output only, without waiting for interrupts.
// The caller serialises. In user mode the console server drives the same device for input.
#pragma once

#include <cstddef>

namespace platform {

void console_write(const char* bytes, size_t size);

}  // namespace platform
