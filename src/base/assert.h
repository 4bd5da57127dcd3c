// Checks of the kernel's own invariants. What a user passes is never checked with these: bad input
// is an Error. `check` stays on in every build and panics; `debug_check` is for what is too dear
// for a release.
#pragma once

#include <source_location>

// Stops the machine with a report (trace/panic.cpp; the host tests have their own).
[[noreturn]] void panic(const char* reason,
                        std::source_location where = std::source_location::current());

inline constexpr bool kDebugBuild = KAIROS_DEBUG != 0;

inline void check(bool holds, const char* invariant,
                  std::source_location where = std::source_location::current()) {
    if (!holds) [[unlikely]] {
        panic(invariant, where);
    }
}

inline void debug_check(bool holds, const char* invariant,
                        std::source_location where = std::source_location::current()) {
    if constexpr (kDebugBuild) check(holds, invariant, where);
}
