// The shell; see the header.
#include "apps/shell/shell.hpp"

#include "apps/shell/commands.hpp"
#include "apps/shell/event_keys.hpp"
#include "apps/shell/help.hpp"
#include "apps/shell/stopwatch.hpp"

namespace shell {

namespace {

constexpr std::string_view kPrompt = "kairos> ";

// As long as init goes on trying to start a console that fails.
constexpr uint64_t kConsolePatience = 60 * kairos::kSecond;

constexpr uint32_t kArrival = KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED;

}  // namespace

int Shell::run() {
    if (!open_terminal()) return 1;
    print_banner(terminal_);
    while (!leaving_) {
        if (read_line()) {
            execute(editor_.line());
        } else if (!leaving_) {
            if (!open_terminal()) return 1;
            terminal_.write("\nThe console has been restarted.\n");
        }
    }
    terminal_.flush();
    return 0;
}

bool Shell::open_terminal() {
    return terminal_.open(kairos::after(kConsolePatience)) &&
           port_.bind(terminal_.keys(), kKeysEvent, kArrival) &&
           port_.bind(terminal_.session(), kSessionEvent, kArrival);
}

bool Shell::read_line() {
    editor_.begin(kPrompt);
    while (true) {
        if (const auto key = terminal_.next_key()) {
            switch (editor_.feed(*key)) {
                case LineEditor::Event::Submit:
                    return true;
                case LineEditor::Event::Abandon:
                    editor_.begin(kPrompt);
                    break;
                case LineEditor::Event::EndOfInput:
                    leaving_ = true;
                    return false;
                case LineEditor::Event::Nothing:
                    break;
            }
            continue;
        }
        terminal_.flush();
        if (!terminal_.receive_keys()) return false;
        if (!terminal_.has_keys()) on_event_while_editing();
    }
}

void Shell::on_event_while_editing() {
    const auto packet = port_.wait();
    if (!packet) return;
    if (packet->key == kSessionEvent) {
        while (terminal_.next_interrupt()) continue;  // ^C came too late for its program
    } else if (packet->key <= Jobs::kMax) {
        editor_.hide();
        runner_.report_job(packet->key);
        editor_.show();
    }
}

void Shell::execute(std::string_view line) {
    const CommandLine::Problem problem = command_line_.parse(line);
    if (problem != CommandLine::Problem::None) {
        terminal_.print("shell: %s\n", describe(problem));
    } else if (command_line_.empty()) {
        return;
    } else if (command_line_.background()) {
        spawn(command_line_.stages());
    } else {
        execute(command_line_.stages());
    }
}

// Built in is only what acts on the shell itself: on its life, on its knowledge, and on how it
// starts programs. `spawn` and `time` stand before a whole pipeline.
void Shell::execute(std::span<Stage> stages) {
    char**& arguments = stages.front().arguments;
    const std::string_view name = arguments[0];
    if (name == "exit" && stages.size() == 1) {
        leaving_ = true;
    } else if (name == "help" && stages.size() == 1) {
        print_help(terminal_, arguments[1]);
    } else if (name == "spawn") {
        ++arguments;
        spawn(stages);
    } else if (name == "time") {
        ++arguments;
        time(stages);
    } else if (runs_programs_only(stages)) {
        runner_.run_in_foreground(stages);
    }
}

// Says so if not.
bool Shell::runs_programs_only(std::span<const Stage> stages) {
    for (const Stage& stage : stages) {
        const Command* command = find_command(stage.arguments[0]);
        if (command == nullptr || !command->built_in) continue;
        terminal_.print("%s: is part of the shell and runs by itself, in the foreground only\n",
                        stage.arguments[0]);
        return false;
    }
    return true;
}

void Shell::spawn(std::span<const Stage> stages) {
    if (stages.front().arguments[0] == nullptr) {
        terminal_.write("usage: spawn COMMAND [WORD...]\n");
    } else if (runs_programs_only(stages)) {
        runner_.run_in_background(stages);
    }
}

void Shell::time(std::span<Stage> stages) {
    if (stages.front().arguments[0] == nullptr) {
        terminal_.write("usage: time COMMAND [WORD...]\n");
        return;
    }
    const Stopwatch stopwatch;
    execute(stages);
    stopwatch.report(terminal_);
}

}  // namespace shell
