// Warnings: what should not have happened and is survived. Each place that warns has a RateLimit of
// its own: the first few come at once, after that one a second, which says how many did not.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/types.h"

class RateLimit {
  public:
    static constexpr uint32_t kBurst = 8;
    static constexpr uint64_t kInterval = 1'000'000'000;

    // Whether to say it now; if so, `*suppressed` is how often it was not said since the last time.
    [[nodiscard]] bool allows(Instant now, uint32_t* suppressed) {
        uint64_t paid_until = paid_until_.load(std::memory_order_relaxed);
        uint64_t next;
        do {
            if (paid_until > now.nanoseconds + (kBurst - 1) * kInterval) {
                suppressed_.fetch_add(1, std::memory_order_relaxed);
                return false;
            }
            next = (paid_until > now.nanoseconds ? paid_until : now.nanoseconds) + kInterval;
        } while (!paid_until_.compare_exchange_weak(paid_until, next, std::memory_order_relaxed));
        *suppressed = suppressed_.exchange(0, std::memory_order_relaxed);
        return true;
    }

  private:
    std::atomic<uint64_t> paid_until_{0};  // each one said costs an interval; a burst is on credit
    std::atomic<uint32_t> suppressed_{0};
};

// Prints one line, as log() does, unless `limit` has had enough. May be called under any lock.
[[gnu::format(printf, 2, 3)]] void warn(RateLimit& limit, const char* format, ...);
