// Starting pipelines; see the header.
#include "apps/shell/pipeline.hpp"

#include "apps/shell/launcher.hpp"
#include "apps/shell/redirect.hpp"

namespace shell {

namespace {

// The exit code of those that were started in vain.
constexpr int64_t kAbandonedCode = 1;

struct Pipe {
    kairos::Handle reading;
    kairos::Handle writing;
};

kairos::Result<kairos::Handle> take_handle(int fd) {
    kairos_handle_t handle;
    const kairos_status_t status = kairos_handle_from_fd(fd, KRIGHT_SAME, &handle);
    kairos_fd_close(fd);
    if (status < 0) return kairos::failure(status);
    return kairos::Handle(handle);
}

kairos::Result<Pipe> make_pipe() {
    int fds[2];
    const kairos_status_t status = kairos_pipe(fds, 0);
    if (status < 0) return kairos::failure(status);
    auto reading = take_handle(fds[0]);
    auto writing = take_handle(fds[1]);
    if (!reading) return std::unexpected(reading.error());
    if (!writing) return std::unexpected(writing.error());
    return Pipe{std::move(*reading), std::move(*writing)};
}

}  // namespace

std::expected<void, Pipeline::Failure> Pipeline::start(std::span<const Stage> stages,
                                                       const Streams& streams) {
    kairos::Handle from_before;  // what the one before it writes
    for (size_t i = 0; i < stages.size(); ++i) {
        const bool is_last = i + 1 == stages.size();
        Pipe pipe;
        if (!is_last) {
            auto made = make_pipe();
            if (!made) {
                kill(kAbandonedCode);
                return std::unexpected(Failure{.error = made.error()});
            }
            pipe = std::move(*made);
        }
        const auto started =
            start_stage(stages[i], {.input = i == 0 ? streams.input : from_before,
                                    .output = is_last ? streams.output : pipe.writing,
                                    .error = streams.error});
        if (!started) {
            kill(kAbandonedCode);
            return started;
        }
        from_before = std::move(pipe.reading);
    }
    return {};
}

std::expected<void, Pipeline::Failure> Pipeline::start_stage(const Stage& stage,
                                                             const Streams& streams) {
    const Redirection& redirection = stage.redirection;
    kairos::Handle files[3];
    const struct {
        const char* name;
        FileUse use;
    } wanted[3] = {{redirection.input, FileUse::Read},
                   {redirection.output, redirection.append ? FileUse::Append : FileUse::Replace},
                   {redirection.error, FileUse::Replace}};
    for (size_t i = 0; i < 3; ++i) {
        if (wanted[i].name == nullptr) continue;
        auto file = open_file(wanted[i].name, wanted[i].use);
        if (!file) return std::unexpected(Failure{wanted[i].name, true, file.error()});
        files[i] = std::move(*file);
    }
    const kairos::Handle& output = files[1] ? files[1] : streams.output;
    auto process =
        launch(stage.arguments, {.input = files[0] ? files[0] : streams.input,
                                 .output = output,
                                 .error = files[2]                      ? files[2]
                                          : redirection.error_to_output ? output
                                                                        : streams.error});
    if (!process) return std::unexpected(Failure{stage.arguments[0], false, process.error()});
    processes_[count_++] = std::move(*process);
    return {};
}

void Pipeline::bind(const kairos::Port& port, uint64_t key) const {
    for (size_t i = 0; i < count_; ++i) port.bind(processes_[i], key, KPORT_BIND_TERMINATED);
}

void Pipeline::kill(int64_t code) const {
    for (size_t i = 0; i < count_; ++i) processes_[i].kill(code);
}

bool Pipeline::has_ended() const {
    for (size_t i = 0; i < count_; ++i) {
        if ((processes_[i].poll(POLLHUP).value_or(0) & POLLHUP) == 0) return false;
    }
    return true;
}

}  // namespace shell
