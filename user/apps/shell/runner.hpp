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

    // Runs a pipeline and returns when all of it has ended. ^C ends it, and so does losing the
    // console.
    void run_in_foreground(std::span<const Stage> stages);

    // Starts a pipeline and leaves it running.
    void run_in_background(std::span<const Stage> stages);

    // Tells of a background job that has ended; `number` is its event.
    void report_job(uint64_t number);

  private:
    // How what is in the foreground came to its end.
    enum class Ending { ByItself, Interrupted, ConsoleLost };

    Ending wait_for(const Pipeline& pipeline, const ForegroundInput& input);
    bool is_interrupted(const ForegroundInput& input);
    void report_end(const char* name, const kairos::Process& process, Ending ending);
    void report_start_failure(const Pipeline::Failure& failure);

    Terminal& terminal_;
    const kairos::Port& port_;
    Jobs jobs_;
};

}  // namespace shell
