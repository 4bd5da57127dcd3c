// The shell's side of the console: a session, one output that the programs it starts share, and
// raw input for editing command lines. Survives the console: open() begins anew after a failure.
#pragma once

#include <kairos/channel.hpp>

#include <array>
#include <optional>
#include <string_view>

#include "apps/common/byte_sink.hpp"
#include "protocols/console.h"

namespace shell {

// Keyboard input of its own for a program in the foreground.
struct ForegroundInput {
    uint64_t number = 0;
    kairos::Channel stream;
};

class Terminal final : public common::ByteSink {
  public:
    // Connects to the console, and opens the output and the raw input. Waits until `deadline`
    // for a console that is just being started. On failure the terminal is closed.
    kairos::Result<> open(kairos_time_t deadline);

    // Text for the screen. It appears at the next flush(), or when there is much of it.
    void write(std::string_view text) override;
    [[gnu::format(printf, 2, 3)]] void print(const char* format, ...);
    void flush();

    const kairos::Channel& output() const { return output_; }
    const kairos::Channel& keys() const { return keys_; }
    const kairos::Channel& session() const { return session_; }

    // Takes what was typed. False if the console is gone.
    bool receive_keys() { return receive_typed(keys_); }

    bool has_keys() const { return typed_first_ != typed_last_; }

    void forget_keys() { typed_first_ = typed_last_; }

    // The next byte that was typed; nothing if there is none.
    std::optional<char> next_key();

    // What was typed before this is the shell's, what comes after is the program's.
    kairos::Result<ForegroundInput> open_foreground();

    // Closes it; what its program did not read counts as typed for the shell.
    void close_foreground(ForegroundInput& input);

    // The number of an input at which ^C was typed; nothing if there is no (further) event.
    std::optional<uint64_t> next_interrupt();

  private:
    kairos::Result<kairos::Channel> open_output();
    kairos::Result<ForegroundInput> open_input(uint32_t mode);
    bool receive_typed(const kairos::Channel& input);

    kairos::Channel session_;
    kairos::Channel output_;
    kairos::Channel keys_;

    std::array<char, 1024> text_{};  // not flushed yet
    size_t text_length_ = 0;
    std::array<char, 4096> typed_{};  // not taken yet: from typed_first_ up to typed_last_
    size_t typed_first_ = 0;
    size_t typed_last_ = 0;
};

}  // namespace shell
