// Walking the kernel's call frames, for panics.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arch {

// Fills `pcs` with the return addresses of the calls in progress, innermost first, starting from
// the caller; stops at anything that does not look like a frame. Returns how many.
size_t backtrace(uint64_t* pcs, size_t max);
// The same from a saved frame pointer and pc (a trap's).
size_t backtrace_from(uint64_t pc, uint64_t frame_pointer, uint64_t* pcs, size_t max);

// Stops this hart for good.
[[noreturn]] void halt();

}  // namespace arch
