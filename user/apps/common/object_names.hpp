// What people call the numbers in kairos/types.h and kairos/info.h.
#pragma once

#include <kairos/info.h>

#include <array>
#include <string_view>

namespace common {

// By type; the places are KOBJ_TYPE_*.
inline constexpr std::array<const char*, KOBJ_TYPE_COUNT> kTypeNames = {
    "none",          "channel", "port",      "file",     "memory", "process", "thread",
    "address-space", "timer",   "interrupt", "resource", "event",  "budget",
};

// The places are bits of kairos_rights_t.
inline constexpr std::array kRightNames = {"read",   "write", "transfer", "duplicate", "wait",
                                           "manage", "map",   "execute",  "signal"};
static_assert(1u << kRightNames.size() == KRIGHT_ALL + 1);
inline constexpr std::array kLifecycleNames = {"init", "live", "detached", "dying", "freed"};
inline constexpr std::array kProcessStateNames = {"new", "running", "ending", "ended"};
inline constexpr std::array kThreadStateNames = {"new", "ready", "running", "blocked", "ended"};
inline constexpr std::array kEndpointStateNames = {"open", "closing", "closed"};
inline constexpr std::array kReferenceEventNames = {"init", "get", "put", "last put"};
inline constexpr std::array kTransferEventNames = {"take",    "enqueue", "deliver",
                                                   "install", "restore", "drop"};

// The name at `number`; "?" beyond the names that are known.
template <size_t Size>
inline constexpr const char* name_of(const std::array<const char*, Size>& names, uint32_t number) {
    return number < Size ? names[number] : "?";
}

// The type called `name`; 0 if there is none.
constexpr uint32_t find_type(std::string_view name) {
    for (uint32_t type = 1; type < KOBJ_TYPE_COUNT; ++type) {
        if (kTypeNames[type] == name) return type;
    }
    return 0;
}

}  // namespace common
