// The longest stretch without interrupts (sync/hart.h), said aloud.
#pragma once

// One line on the log, of a kernel that measures; nothing otherwise.
void report_longest_quiet();
