// Cooked input: bytes from the keyboard become whole lines, echoed and editable until Enter.
//
//   Backspace  erases a character       ^U  erases the line       ^W  erases a word
//   ^C  interrupts: the line is dropped and the reader's owner is told
//   ^D  hands over what has been typed; at the beginning of a line that is nothing at all, which
//       a reader takes for the end of its input
//
// Portable logic; it knows neither channels nor the UART.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "apps/common/byte_sink.hpp"
#include "apps/common/key_decoder.hpp"

namespace console {

class LineDiscipline {
  public:
    // Bytes of a line, its newline included. Typing beyond it rings the bell.
    static constexpr size_t kLineMax = 1024;

    enum class Event {
        Nothing,
        Deliver,  // text() goes to the reader, as it is; then clear()
        Interrupt,
    };

    explicit LineDiscipline(common::ByteSink& echo) : echo_(echo) {}

    Event feed(char byte);

    // What has been typed and not been delivered.
    std::string_view text() const { return {line_.data(), length_}; }
    void clear() { length_ = 0; }

  private:
    Event control(char letter);
    void insert(char byte);
    void erase_to(size_t length);

    common::ByteSink& echo_;
    common::KeyDecoder decoder_;
    std::array<char, kLineMax> line_{};
    size_t length_ = 0;
};

}  // namespace console
