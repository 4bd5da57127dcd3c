// How a type of object takes part in the bridge between handles and descriptors: by showing which
// rights of a handle mean which rights of a descriptor (Object::bridge). There is no other list of
// types that have descriptors.
#pragma once

#include <cstdint>

#include "base/types.h"

// FD_RIGHT_* bits.
struct DescriptorRights {
    uint32_t bits = 0;

    constexpr bool covers(uint32_t needed) const { return (bits & needed) == needed; }
    constexpr bool operator==(const DescriptorRights&) const = default;
};

struct Bridge {
    // One right of a descriptor: the right of a handle that it stands for, and what it is worth on
    // the way back to a handle.
    struct Entry {
        Rights from{};
        Rights back = from;
    };
    Entry read{};
    Entry write{};
    Entry control{};
    Entry duplicate{};
    // Whether O_NONBLOCK may be given with a handle of it.
    bool nonblocking_from_handle = true;

    constexpr DescriptorRights to_descriptor(Rights rights) const {
        return {bit(FD_RIGHT_READ, read, rights) | bit(FD_RIGHT_WRITE, write, rights) |
                bit(FD_RIGHT_IOCTL, control, rights) | bit(FD_RIGHT_DUP, duplicate, rights)};
    }
    // Of what the bridged handle had, `ceiling`.
    constexpr Rights to_handle(DescriptorRights rights, Rights ceiling) const {
        const Rights all = part(FD_RIGHT_READ, read, rights) | part(FD_RIGHT_WRITE, write, rights) |
                           part(FD_RIGHT_IOCTL, control, rights) |
                           part(FD_RIGHT_DUP, duplicate, rights);
        return all & ceiling;
    }
    // Being allowed to make copies is of no use by itself.
    static constexpr bool useful(DescriptorRights rights) {
        return (rights.bits & ~FD_RIGHT_DUP) != 0;
    }

  private:
    static constexpr uint32_t bit(uint32_t right, const Entry& entry, Rights rights) {
        return entry.from.any() && rights.covers(entry.from) ? right : 0;
    }
    static constexpr Rights part(uint32_t right, const Entry& entry, DescriptorRights rights) {
        return rights.covers(right) ? entry.back : Rights{};
    }
};
