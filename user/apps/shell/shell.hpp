// The shell: reads command lines and runs them, as separate programs wherever that makes sense.
#pragma once

#include <kairos/port.hpp>

#include <string_view>

#include "apps/shell/command_line.hpp"
#include "apps/shell/history.hpp"
#include "apps/shell/line_editor.hpp"
#include "apps/shell/runner.hpp"
#include "apps/shell/terminal.hpp"

namespace shell {

class Shell {
  public:
    // `port` brings all that the shell waits for (event_keys.hpp).
    explicit Shell(kairos::Port port)
        : port_(std::move(port)), editor_(terminal_, history_), runner_(terminal_, port_) {}

    // Runs until the user leaves (0) or there is no console to be had (1).
    int run();

  private:
    // False: there is no console.
    bool open_terminal();

    // True: a line is complete in the editor.
    bool read_line();
    void on_event_while_editing();

    void execute(std::string_view line);
    void execute(std::span<Stage> stages);
    bool runs_programs_only(std::span<const Stage> stages);
    void spawn(std::span<const Stage> stages);
    void time(std::span<Stage> stages);

    kairos::Port port_;
    Terminal terminal_;
    History history_;
    LineEditor editor_;
    CommandLine command_line_;
    Runner runner_;
    bool leaving_ = false;
};

}  // namespace shell
