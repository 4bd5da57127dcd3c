// Futexes: sleeping on a word of user memory. The key is the memory object behind the word and the
// offset in it, so threads meet on shared memory wherever each has mapped it, and memory that is
// not shared is never met by anybody else.
#pragma once

#include "base/result.h"
#include "base/types.h"

class Futex {
  public:
    // Sleeps while the word holds `expected`. -EAGAIN: it holds something else; -EFAULT: nothing is
    // mapped there; -ETIMEDOUT, -EINTR. BLOCKS.
    static Status wait(VirtualAddress address, uint32_t expected, Instant deadline);
    // Wakes up to `count` sleepers, first come, first served; how many. -EFAULT.
    static Result<uint32_t> wake(VirtualAddress address, uint32_t count);
};
