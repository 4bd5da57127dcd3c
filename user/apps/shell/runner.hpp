// Runs programs, in the foreground and in the background, and tells how they ended.
#pragma once

#include <kairos/port.hpp>
#include <kairos/process.hpp>

#include "apps/shell/jobs.hpp"
#include "apps/shell/terminal.hpp"

namespace shell {

class Runner {
  public:
    // Both must outlive the runner; `port` brings the events of event_keys.hpp.
    Runner(Terminal& terminal, const kairos::Port& port) : terminal_(terminal), port_(port) {}

    // Runs `arguments[0]` and returns when it has ended. ^C ends it, and so does losing the
    // console.
    void run_in_foreground(char** arguments);

    // Starts `arguments[0]` and leaves it running.
    void run_in_background(char** arguments);

    // Tells of a background program that has ended; `number` is its event.
    void report_job(uint64_t number);

  private:
    // How a program in the foreground came to its end.
    enum class Ending { ByItself, Interrupted, ConsoleLost };

    Ending wait_for(const kairos::Process& process, const ForegroundInput& input);
    bool is_interrupted(const ForegroundInput& input);
    void report_end(const char* name, const kairos::Process& process, Ending ending);
    void report_start_failure(const char* name, kairos::Error error);

    Terminal& terminal_;
    const kairos::Port& port_;
    Jobs jobs_;
};

}  // namespace shell
