// What init tells: lines on the kernel's own console, which is there even when no server is.
#pragma once

namespace init {

// Writes "init: ..." as one line.
[[gnu::format(printf, 1, 2)]] void log(const char* format, ...);

}  // namespace init
