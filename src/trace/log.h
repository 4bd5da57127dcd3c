// The kernel's log: short lines on the debug console, for people. No lock but the console's is
// taken; may be called anywhere.
#pragma once

#include <cstdarg>
#include <cstddef>

#include "base/types.h"

// Prints one line with a time stamp. Knows %s %c %d %u %x %p %% and the length l; %x as 0x….
[[gnu::format(printf, 1, 2)]] void log(const char* format, ...);
// The same without a stamp or an end of line, for reports that are made of pieces.
[[gnu::format(printf, 1, 2)]] void print(const char* format, ...);

// What programs write by kairos_debug_write: apart from the log, if the console is framed. One
// call's bytes stay together.
void console_write_program_output(const char* bytes, size_t size);

// One line for trace/warn.h: `suppressed` like it were not printed before.
void log_warning(const char* format, va_list arguments, uint32_t suppressed);

// Marks the log for a reader that separates it from programs' output (see docs/debugging.md).
void console_set_framed();
// A panic does not wait for a lock whose holder may be gone.
void console_break_lock();
