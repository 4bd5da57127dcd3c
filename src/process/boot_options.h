// The kernel's command line: `init=NAME [console=plain|framed] [trace=all|none|KIND,...]
// [watchdog=SECONDS] -- ARGUMENT...`. NAME and the arguments are percent-encoded, so that they may
// hold any byte; a lone % is an empty word.
#pragma once

#include <cstdint>

#include "sched/watchdog.h"
#include "sync/injection.h"
#include "trace/records.h"

inline constexpr uint32_t kMaxArguments = 64;

struct BootOptions {
    const char* program = "init";  // of the boot archive
    bool framed_console = false;
    uint32_t trace_kinds = kTraceKindsAtBoot;
    uint64_t watchdog_period_ns = Watchdog::kUsualPeriod;
    // Debug builds: `inject=KIND@N` (sync/injection.h).
    Injection injection = Injection::kNone;
    uint64_t injected_at = 0;
    // The program's arguments, its name first.
    const char* arguments[kMaxArguments] = {};
    uint32_t argument_count = 0;
};

// Decodes in place, in memory of its own. Stops the machine with a message on options it does not
// know, and on more arguments than it has room for.
const BootOptions& read_boot_options(const char* command_line);
