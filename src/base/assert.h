// Checks of the kernel's own invariants. What a user passes is never checked with these: bad input
// is an Error. `check` stays on in every build and panics; `debug_check` is for what is too dear
// for a release.
#pragma once

#include <cstdint>

// A place in the source: what std::source_location is, in a form that both compilers know.
struct SourceLocation {
    const char* file;
    const char* function;
    uint32_t line;

    static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                            const char* function = __builtin_FUNCTION(),
                                            uint32_t line = __builtin_LINE()) {
        return {file, function, line};
    }
};

// Stops the machine with a report (process/panic.cpp; the host tests have their own).
[[noreturn]] void panic(const char* reason, SourceLocation where = SourceLocation::current());

inline constexpr bool kDebugBuild = KAIROS_DEBUG != 0;
// A release that measures itself (make quiet).
inline constexpr bool kMeasureBuild = KAIROS_MEASURE != 0;

inline void check(bool holds, const char* invariant,
                  SourceLocation where = SourceLocation::current()) {
    if (!holds) [[unlikely]] {
        panic(invariant, where);
    }
}

inline void debug_check(bool holds, const char* invariant,
                        SourceLocation where = SourceLocation::current()) {
    if constexpr (kDebugBuild) check(holds, invariant, where);
}
