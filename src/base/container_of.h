// From a member to the object it is part of: the way back for intrusive containers.
#pragma once

#include <cstddef>
#include <cstdint>

template <typename T, typename Member>
T& container_of(Member& member, Member T::*pointer) {
    // An address that T could have; nothing is read there. (Null would do but for the compilers,
    // which rightly distrust members of nothing.)
    constexpr uintptr_t kProbe = uintptr_t{1} << 16;
    const auto* probe = reinterpret_cast<const T*>(kProbe);
    const uintptr_t offset = reinterpret_cast<uintptr_t>(&(probe->*pointer)) - kProbe;
    return *reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(&member) - offset);
}
