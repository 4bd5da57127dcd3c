// The programs of a command line, each reading what the one before it writes.
#pragma once

#include <kairos/port.hpp>
#include <kairos/process.hpp>

#include <array>
#include <span>

#include "apps/shell/command_line.hpp"

namespace shell {

// Where a pipeline begins and ends, unless a command says otherwise; an empty handle is nowhere.
struct Streams {
    const kairos::Handle& input;
    const kairos::Handle& output;
    const kairos::Handle& error;
};

class Pipeline {
  public:
    // What could not be opened or started, and why.
    struct Failure {
        const char* what = nullptr;  // a word of the stages; null: the pipe itself
        bool is_file = false;
        kairos::Error error{};
    };

    // Starts all programs, or none: what has been started is killed again.
    std::expected<void, Failure> start(std::span<const Stage> stages, const Streams& streams);
    // `port` brings the end of each of them under `key`.
    void bind(const kairos::Port& port, uint64_t key) const;
    void kill(int64_t code) const;

    bool empty() const { return count_ == 0; }
    bool has_ended() const;
    // Its end is that of the pipeline.
    const kairos::Process& last() const { return processes_[count_ - 1]; }

  private:
    std::expected<void, Failure> start_stage(const Stage& stage, const Streams& streams);

    std::array<kairos::Process, CommandLine::kStagesMax> processes_;
    size_t count_ = 0;
};

}  // namespace shell
