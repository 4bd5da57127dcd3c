// Which flags of OPEN and OPEN_STREAM (protocols/files.h) make sense together. Portable logic.
#pragma once

#include "protocols/files.h"

namespace files {

constexpr bool has(uint32_t flags, uint32_t flag) { return (flags & flag) != 0; }

constexpr bool is_sensible(uint32_t flags) {
    constexpr uint32_t kChanging =
        KAIROS_FILES_CREATE | KAIROS_FILES_EXCLUSIVE | KAIROS_FILES_TRUNCATE | KAIROS_FILES_APPEND;
    constexpr uint32_t kAll = KAIROS_FILES_READ | KAIROS_FILES_WRITE | kChanging;
    if ((flags & ~kAll) != 0) return false;
    if (!has(flags, KAIROS_FILES_READ | KAIROS_FILES_WRITE)) return false;
    if (has(flags, kChanging) && !has(flags, KAIROS_FILES_WRITE)) return false;
    return !has(flags, KAIROS_FILES_EXCLUSIVE) || has(flags, KAIROS_FILES_CREATE);
}

// A stream goes one way, and what is written to it goes to the end anyway.
constexpr bool is_sensible_for_stream(uint32_t flags) {
    constexpr uint32_t kBoth = KAIROS_FILES_READ | KAIROS_FILES_WRITE;
    return is_sensible(flags) && (flags & kBoth) != kBoth && !has(flags, KAIROS_FILES_APPEND);
}

}  // namespace files
