// What the kernel calls an object.
#pragma once

#include <kairos/handle.hpp>

namespace common {

// 0: the handle is not valid.
inline uint64_t id_of(const kairos::Handle& object) {
    kairos_info_basic info = {};
    kairos_object_info(object.get(), KAIROS_INFO_BASIC, &info, sizeof(info));
    return info.id;
}

}  // namespace common
