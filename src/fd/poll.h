// poll: waiting until one of any number of descriptors is ready.
#pragma once

#include "base/result.h"
#include "base/types.h"
#include "object/budget.h"

class DescriptorTable;

// Looks at `count` entries (struct kairos_poll_entry) at `entries`, which lies in user space, and
// waits until one has an event, or for `deadline`. What was found goes into all of them; returns
// how many have one. The caller's budget lends the memory to wait with. -EFAULT, -EDQUOT, -ENOMEM,
// -EINTR. BLOCKS.
Result<int64_t> poll_descriptors(DescriptorTable& table, VirtualAddress entries, uint64_t count,
                                 Instant deadline, Budget& budget);
