// How a process ended, in a sentence for people.
#pragma once

#include <errno.h>
#include <kairos/info.h>

#include <cinttypes>
#include <cstdio>
#include <span>

namespace common {

// The RISC-V privileged architecture's names of what a program can do wrong.
inline const char* fault_name(uint64_t cause) {
    switch (cause) {
        case 0:
            return "misaligned jump";
        case 1:
            return "access fault on a jump";
        case 2:
            return "illegal instruction";
        case 3:
            return "breakpoint";
        case 4:
            return "misaligned load";
        case 5:
            return "access fault on a load";
        case 6:
            return "misaligned store";
        case 7:
            return "access fault on a store";
        case 12:
            return "jump to memory that is not mapped executable";
        case 13:
            return "load from memory that is not mapped";
        case 15:
            return "store to memory that is not mapped writable";
        default:
            return "unknown fault";
    }
}

inline bool ended_by_fault(const kairos_info_process& info) {
    const bool has_place = info.fault_cause != 0 || info.fault_pc != 0 || info.fault_address != 0;
    return info.exit_code == -EFAULT && has_place;
}

// Writes "ended with code 3" or "was stopped by a fault: ..." into `out`, cut off where it ends.
inline void describe_end(const kairos_info_process& info, std::span<char> out) {
    if (!ended_by_fault(info)) {
        std::snprintf(out.data(), out.size(), "ended with code %" PRId64, info.exit_code);
        return;
    }
    const bool null_pointer = info.fault_cause != 2 && info.fault_address < KAIROS_PAGE_SIZE;
    std::snprintf(out.data(), out.size(),
                  "was stopped by a fault: %s (cause %" PRIu64 "), pc 0x%" PRIx64
                  ", address 0x%" PRIx64 "%s",
                  fault_name(info.fault_cause), info.fault_cause, info.fault_pc, info.fault_address,
                  null_pointer ? " (a null pointer)" : "");
}

}  // namespace common
