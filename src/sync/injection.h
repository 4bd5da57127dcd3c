// Faults on purpose, to test reports: a debug kernel with the option `inject=KIND@N` breaks at the
// N-th lock that it takes, wherever that is.
#pragma once

#include <cstdint>

enum class Injection : uint8_t {
    kNone,
    kPanic,  // a failed check
    kFault,  // a store to nowhere
};

// Once, at boot. `at` counts from there.
void inject(Injection what, uint64_t at);
// Called wherever an injection may happen.
void injection_point();
