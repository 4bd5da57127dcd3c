// Running programs; see the header.
#include "apps/shell/runner.hpp"

#include <cinttypes>

#include "apps/common/process_end.hpp"
#include "apps/shell/event_keys.hpp"
#include "apps/shell/launcher.hpp"

namespace shell {

namespace {

// Exit codes of programs that the shell kills, as elsewhere in the world.
constexpr int64_t kHangUpCode = 129;
constexpr int64_t kInterruptCode = 130;

bool has_ended(const kairos::Process& process) {
    return (process.poll(POLLHUP).value_or(0) & POLLHUP) != 0;
}

uint64_t id_of(const kairos::Handle& object) {
    kairos_info_basic info = {};
    kairos_object_info(object.get(), KAIROS_INFO_BASIC, &info, sizeof(info));
    return info.id;
}

}  // namespace

void Runner::run_in_foreground(char** arguments) {
    // First the input, then the flush that shows the end of the command line: what is typed after
    // that is the program's, what was typed before is the shell's. A program can do without input.
    ForegroundInput input = terminal_.open_foreground().value_or(ForegroundInput{});
    terminal_.flush();
    const auto process = launch(arguments, input.stream, terminal_.output());
    if (!process) {
        terminal_.close_foreground(input);
        report_start_failure(arguments[0], process.error());
        return;
    }
    port_.bind(*process, kForegroundEvent, KPORT_BIND_TERMINATED);
    const Ending ending = wait_for(*process, input);
    terminal_.close_foreground(input);
    if (ending == Ending::Interrupted) terminal_.forget_keys();  // they were meant for it
    report_end(arguments[0], *process, ending);
}

Runner::Ending Runner::wait_for(const kairos::Process& process, const ForegroundInput& input) {
    Ending ending = Ending::ByItself;
    while (!has_ended(process)) {
        const auto packet = port_.wait();
        if (!packet) continue;
        if (packet->key == kSessionEvent && is_interrupted(input)) {
            ending = Ending::Interrupted;
            process.kill(kInterruptCode);
        } else if (packet->key == kKeysEvent && !terminal_.receive_keys()) {
            ending = Ending::ConsoleLost;
            process.kill(kHangUpCode);
        } else if (packet->key <= Jobs::kMax) {
            report_job(packet->key);
        }
    }
    return ending;
}

bool Runner::is_interrupted(const ForegroundInput& input) {
    bool interrupted = false;
    while (const auto number = terminal_.next_interrupt()) {
        if (*number == input.number) interrupted = true;
    }
    return interrupted;
}

// What ended as it should is not talked about.
void Runner::report_end(const char* name, const kairos::Process& process, Ending ending) {
    const kairos_info_process info = process.info().value_or(kairos_info_process{});
    if (info.exit_code == 0) return;
    if (ending == Ending::Interrupted && info.exit_code == kInterruptCode) {
        terminal_.print("%s: interrupted\n", name);
        return;
    }
    char end[200];
    common::describe_end(info, end);
    terminal_.print("%s %s\n", name, end);
}

void Runner::report_start_failure(const char* name, kairos::Error error) {
    switch (error) {
        case kairos::Error::NOENT:
            terminal_.print("%s: no such command; 'help' lists them\n", name);
            break;
        case kairos::Error::NOEXEC:
            terminal_.print("%s: not a program\n", name);
            break;
        default:
            terminal_.print("%s: cannot be started: %s\n", name, kairos::text_of(error));
            break;
    }
}

void Runner::run_in_background(char** arguments) {
    Job* job = jobs_.free_place();
    if (job == nullptr) {
        terminal_.print("%s: too many programs are in the background\n", arguments[0]);
        return;
    }
    terminal_.flush();
    auto process = launch(arguments, kairos::Channel(), terminal_.output());
    if (!process) {
        report_start_failure(arguments[0], process.error());
        return;
    }
    job->process = std::move(*process);
    common::write_field(job->name, std::string_view(arguments[0]).substr(0, sizeof(job->name) - 1));
    const size_t number = jobs_.number(*job);
    terminal_.print("[%zu] %s runs as process %" PRIu64 "\n", number, job->name,
                    id_of(job->process));
    port_.bind(job->process, number, KPORT_BIND_TERMINATED);
}

void Runner::report_job(uint64_t number) {
    Job& job = jobs_.at(number);
    if (!job.process || !has_ended(job.process)) return;
    const kairos_info_process info = job.process.info().value_or(kairos_info_process{});
    char end[200];
    common::describe_end(info, end);
    terminal_.print("[%" PRIu64 "] %s %s\n", number, job.name, end);
    job = {};
}

}  // namespace shell
