// What a mapping lets user mode do.
#pragma once

struct Protection {
    bool read = false;
    bool write = false;
    bool execute = false;

    constexpr bool covers(Protection other) const {
        return (read || !other.read) && (write || !other.write) && (execute || !other.execute);
    }
    // Nothing can be both changed and run.
    constexpr bool is_allowed() const { return !(write && execute); }
    constexpr bool operator==(const Protection&) const = default;
};
