// Running programs; see the header.
#include "apps/shell/runner.hpp"

#include <cinttypes>

#include "apps/common/object_id.hpp"
#include "apps/common/process_end.hpp"
#include "apps/shell/event_keys.hpp"

namespace shell {

namespace {

// Exit codes of programs that the shell kills, as elsewhere in the world.
constexpr int64_t kHangUpCode = 129;
constexpr int64_t kInterruptCode = 130;

}  // namespace

void Runner::run_in_foreground(std::span<const Stage> stages) {
    // First the input, then the flush that shows the end of the command line: what is typed after
    // that is the program's, what was typed before is the shell's. A program can do without input.
    ForegroundInput input = terminal_.open_foreground().value_or(ForegroundInput{});
    terminal_.flush();
    Pipeline pipeline;
    const auto started = pipeline.start(
        stages, {.input = input.stream, .output = terminal_.output(), .error = terminal_.output()});
    if (!started) {
        terminal_.close_foreground(input);
        report_start_failure(started.error());
        return;
    }
    pipeline.bind(port_, kForegroundEvent);
    const Ending ending = wait_for(pipeline, input);
    terminal_.close_foreground(input);
    if (ending == Ending::Interrupted) terminal_.forget_keys();  // they were meant for it
    report_end(stages.back().arguments[0], pipeline.last(), ending);
}

Runner::Ending Runner::wait_for(const Pipeline& pipeline, const ForegroundInput& input) {
    Ending ending = Ending::ByItself;
    while (!pipeline.has_ended()) {
        const auto packet = port_.wait();
        if (!packet) continue;
        if (packet->key == kSessionEvent && is_interrupted(input)) {
            ending = Ending::Interrupted;
            pipeline.kill(kInterruptCode);
        } else if (packet->key == kKeysEvent && !terminal_.receive_keys()) {
            ending = Ending::ConsoleLost;
            pipeline.kill(kHangUpCode);
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

void Runner::report_start_failure(const Pipeline::Failure& failure) {
    const char* what = failure.what != nullptr ? failure.what : "a pipe";
    if (failure.is_file) {
        terminal_.print("%s: %s\n", what, kairos::text_of(failure.error));
    } else if (failure.error == kairos::Error::NOENT) {
        terminal_.print("%s: no such command; 'help' lists them\n", what);
    } else if (failure.error == kairos::Error::NOEXEC) {
        terminal_.print("%s: not a program\n", what);
    } else {
        terminal_.print("%s: cannot be started: %s\n", what, kairos::text_of(failure.error));
    }
}

void Runner::run_in_background(std::span<const Stage> stages) {
    const char* name = stages.back().arguments[0];
    Job* job = jobs_.free_place();
    if (job == nullptr) {
        terminal_.print("%s: too many programs are in the background\n", name);
        return;
    }
    terminal_.flush();
    const auto started = job->pipeline.start(
        stages,
        {.input = kairos::Handle(), .output = terminal_.output(), .error = terminal_.output()});
    if (!started) {
        *job = {};
        report_start_failure(started.error());
        return;
    }
    common::write_field(job->name, std::string_view(name).substr(0, sizeof(job->name) - 1));
    const size_t number = jobs_.number(*job);
    terminal_.print("[%zu] %s runs as process %" PRIu64 "\n", number, job->name,
                    common::id_of(job->pipeline.last()));
    job->pipeline.bind(port_, number);
}

void Runner::report_job(uint64_t number) {
    Job& job = jobs_.at(number);
    if (job.pipeline.empty() || !job.pipeline.has_ended()) return;
    const kairos_info_process info = job.pipeline.last().info().value_or(kairos_info_process{});
    char end[200];
    common::describe_end(info, end);
    terminal_.print("[%" PRIu64 "] %s %s\n", number, job.name, end);
    job = {};
}

}  // namespace shell
