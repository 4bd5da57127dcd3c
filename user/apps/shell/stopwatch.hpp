// Measures what a command costs: time, and the instructions that this hart retires meanwhile.
#pragma once

#include <kairos/kairos.h>

#include <cinttypes>

#include "apps/shell/terminal.hpp"

namespace shell {

class Stopwatch {
  public:
    // Starts.
    Stopwatch() : hart_(current_hart()), time_(kairos_clock_now()), retired_(kairos_instret()) {}

    // The counter belongs to one hart, and counts whatever runs there: it is the command's cost
    // only on a machine with one hart, and means nothing when the shell was moved meanwhile.
    void report(Terminal& terminal) const {
        const uint64_t retired = kairos_instret() - retired_;
        const kairos_time_t time = kairos_clock_now() - time_;
        terminal.print("%" PRIu64 " ns", time);
        if (current_hart() == hart_) {
            terminal.print(", %" PRIu64 " instructions on hart %" PRIu32, retired, hart_);
        }
        terminal.write("\n");
    }

  private:
    static uint32_t current_hart() {
        kairos_info_thread info = {};
        kairos_object_info(kairos_self_thread(), KAIROS_INFO_THREAD, &info, sizeof(info));
        return info.hart;
    }

    uint32_t hart_;
    kairos_time_t time_;
    uint64_t retired_;
};

}  // namespace shell
