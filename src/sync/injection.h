// Faults on purpose, to test reports: a debug kernel with the option `inject=KIND@N` does something
// wrong at the N-th place of the kind's, counted from boot.
#pragma once

#include <cstdint>

enum class Injection : uint8_t {
    kNone,
    // Where a lock is taken:
    kPanic,  // a failed check
    kFault,  // a store to nowhere
    kHang,   // nothing happens any more
    // Where a sleep is ended by what was waited for:
    kLostWake,
    // Where a thread is made ready:
    kForgottenThread,
};

// Once, at boot.
void inject(Injection what, uint64_t at);
// Whether this is the place where it is to happen.
[[nodiscard]] bool injected(Injection what);
// Called wherever a lock is taken.
void injection_point();
