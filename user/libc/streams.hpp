// The three streams that a program begins with, behind the descriptors 0, 1 and 2: channels that
// carry bytes, or for output, if none was given, the kernel's console.
#pragma once

#include <kairos/base.h>

#include <cstddef>

namespace kairos::internal {

// Reads up to `size` bytes, at least 1, from STDIN; blocks. 0: the end, or an empty message. What a
// message has beyond `size` is there for the next read. Errors as kairos_channel_recv.
kairos_status_t read_input(void* buffer, size_t size);
// Whether read_input would not block: POLLIN and POLLHUP.
uint32_t poll_input();

// Writes all of it to the stream `which` (KAIROS_BOOT_STDOUT or STDERR); blocks. Returns how much
// was written: less than `size` if an error came between. Errors as kairos_channel_send, if
// nothing was written.
kairos_status_t write_output(uint32_t which, const void* bytes, size_t size);

}  // namespace kairos::internal
