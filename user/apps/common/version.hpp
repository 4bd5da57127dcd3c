// The version that Kairos calls itself.
#pragma once

namespace common {

inline constexpr const char* kVersion = "0.1";

}  // namespace common
