// What the packets on the shell's port mean. A packet is only a reason to look: what is done
// follows from the state of the objects themselves.
#pragma once

#include <cstdint>

namespace shell {

// 1 to Jobs::kMax: the background job of that number has ended.
inline constexpr uint64_t kKeysEvent = 0x100;        // something was typed, or the console is gone
inline constexpr uint64_t kSessionEvent = 0x101;     // the console tells of ^C
inline constexpr uint64_t kForegroundEvent = 0x102;  // the program in the foreground has ended

}  // namespace shell
