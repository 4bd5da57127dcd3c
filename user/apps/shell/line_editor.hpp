// Edits one command line on a screen that understands carriage return and "erase to the end of
// the line": cursor keys, Home and End, ^A ^E ^B ^F, ^K ^U ^W, ^L, history with Up and Down.
//
// A line longer than the screen is wide is shown through a window that follows the cursor, so
// the editor never depends on how a terminal wraps. Portable logic: bytes in, bytes out.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "apps/common/byte_sink.hpp"
#include "apps/common/key_decoder.hpp"
#include "apps/shell/history.hpp"

namespace shell {

class LineEditor {
  public:
    enum class Event {
        Nothing,
        Submit,      // Enter: line() is complete
        Abandon,     // ^C: the line is not wanted
        EndOfInput,  // ^D on an empty line
    };

    LineEditor(common::ByteSink& screen, History& history) : screen_(screen), history_(history) {}

    // Shows `prompt` and an empty line. The prompt must outlive the editing.
    void begin(std::string_view prompt);

    Event feed(char byte);

    std::string_view line() const { return {text_.data(), length_}; }

    // Takes prompt and line off the screen, and puts them back: to print something in between.
    void hide();
    void show();

  private:
    static constexpr size_t kScreenColumns = 80;

    Event control(char letter);
    Event finish(Event event);
    void insert(char byte);
    void erase(size_t from, size_t to);
    void move_to(size_t position);
    void replace(std::string_view text);
    void browse_older();
    void browse_newer();

    common::ByteSink& screen_;
    History& history_;
    common::KeyDecoder decoder_;
    std::string_view prompt_;
    std::array<char, kLineMax> text_{};
    size_t length_ = 0;
    size_t cursor_ = 0;  // a byte position, always at the beginning of a character
};

}  // namespace shell
