// The states of an object's life, and which may follow which.
//
//     INIT ──registered──> LIVE ──last owner──> DETACHED ──last reference──> DYING ──> FREED
//                            └──────never owned, last reference─────────────────┘
//
// A DETACHED object may be opened once more by its id (system_open) and detached again.
#pragma once

#include <cstdint>

#include "abi/info.h"

enum class Lifecycle : uint8_t {
    kInit = KAIROS_LIFECYCLE_INIT,
    kLive = KAIROS_LIFECYCLE_LIVE,
    kDetached = KAIROS_LIFECYCLE_DETACHED,
    kDying = KAIROS_LIFECYCLE_DYING,
    kFreed = KAIROS_LIFECYCLE_FREED,
};

namespace lifecycle {

struct Transition {
    Lifecycle from;
    Lifecycle to;
};
inline constexpr Transition kLegal[] = {
    {Lifecycle::kInit, Lifecycle::kLive},      {Lifecycle::kLive, Lifecycle::kDetached},
    {Lifecycle::kLive, Lifecycle::kDying},     {Lifecycle::kDetached, Lifecycle::kDetached},
    {Lifecycle::kDetached, Lifecycle::kDying}, {Lifecycle::kDying, Lifecycle::kFreed},
};

constexpr bool legal(Lifecycle from, Lifecycle to) {
    for (const Transition& transition : kLegal) {
        if (transition.from == from && transition.to == to) return true;
    }
    return false;
}

// Whether an object in this state may be operated on.
constexpr bool usable(Lifecycle state) {
    return state == Lifecycle::kLive || state == Lifecycle::kDetached;
}

constexpr const char* name(Lifecycle state) {
    constexpr const char* kNames[] = {"INIT", "LIVE", "DETACHED", "DYING", "FREED"};
    return kNames[static_cast<uint8_t>(state)];
}

static_assert(!legal(Lifecycle::kFreed, Lifecycle::kLive));
static_assert(!legal(Lifecycle::kDying, Lifecycle::kDetached));
static_assert(!legal(Lifecycle::kInit, Lifecycle::kDying));

}  // namespace lifecycle
