// What a mapping lets user mode do.
#pragma once

#include "base/types.h"

struct Protection {
    bool read = false;
    bool write = false;
    bool execute = false;

    constexpr bool covers(Protection other) const {
        return (read || !other.read) && (write || !other.write) && (execute || !other.execute);
    }
    // Nothing can be both changed and run.
    constexpr bool is_allowed() const { return !(write && execute); }
    // The rights of handles that allow the same.
    constexpr Rights rights() const {
        return (read ? right::kRead : Rights{}) | (write ? right::kWrite : Rights{}) |
               (execute ? right::kExecute : Rights{});
    }
    constexpr bool operator==(const Protection&) const = default;
};
