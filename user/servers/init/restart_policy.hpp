// When a program that ended is started again: at once but never in a tight loop; later and later
// while it keeps failing; not at all once it has failed too often in a short time. Portable logic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace init {

class RestartPolicy {
  public:
    static constexpr uint64_t kFirstDelay = 100'000'000;  // nanoseconds, as all times here
    static constexpr uint64_t kWindow = 60'000'000'000;
    static constexpr size_t kFailuresMax = 5;  // in a window; one more, and it is given up

    // The time at which to start again what ended at `now`; nothing: give it up. An orderly end
    // (exit code 0) is no failure.
    std::optional<uint64_t> after_end(uint64_t now, bool failed) {
        if (!failed) return now + kFirstDelay;
        const size_t recent = failures_since(now > kWindow ? now - kWindow : 0);
        if (recent == kFailuresMax) return std::nullopt;
        failures_[next_] = now;
        next_ = (next_ + 1) % kFailuresMax;
        return now + (kFirstDelay << recent);
    }

  private:
    size_t failures_since(uint64_t time) const {
        size_t count = 0;
        for (uint64_t failure : failures_) {
            if (failure != 0 && failure >= time) ++count;
        }
        return count;
    }

    std::array<uint64_t, kFailuresMax> failures_{};  // times of the last ones; 0: none
    size_t next_ = 0;
};

}  // namespace init
