// The descriptors that a program begins with: 0, 1 and 2.
#pragma once

#include <kairos/base.h>

#include <cstddef>

namespace kairos::internal {

// Makes 0, 1 and 2 of what the spawner gave as STDIN, STDOUT and STDERR, or of the kernel's console
// where it gave nothing. Before anything else makes a descriptor. A number for which that fails has
// no use and no right.
void open_standard_streams();

// The descriptor 0 as the program began with it is a stream of bytes, even where these come in
// messages: what a message has beyond `size` is there for the next read. Errors as kairos_fd_read.
// BLOCKS.
kairos_status_t read_input(void* buffer, size_t size);
// Whether a part of a message waits there.
bool input_left_over();
// The descriptor 0 is another from now on, or closed.
void forget_input();

}  // namespace kairos::internal
