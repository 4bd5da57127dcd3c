// Turns the bytes that a terminal sends into keys: control characters, and the escape sequences
// of the cursor keys in both of their common spellings. Unknown sequences are swallowed whole, so
// their letters never end up in a line. A lone Escape swallows the byte after it: without a clock
// it cannot be told from the beginning of a sequence.
#pragma once

#include <cstdint>

namespace common {

enum class Key : uint8_t {
    None,       // in the middle of a sequence, or an unknown one
    Character,  // `byte` is a printable byte or part of a UTF-8 character
    Control,    // Ctrl with the capital letter in `byte`; a tab is Ctrl-I
    Enter,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
};

struct KeyPress {
    Key key = Key::None;
    char byte = 0;

    bool is_control(char letter) const { return key == Key::Control && byte == letter; }
};

class KeyDecoder {
  public:
    KeyPress feed(char byte) {
        switch (state_) {
            case State::Escape:
                return after_escape(byte);
            case State::Sequence:
                return in_sequence(byte);
            case State::Ground:
                break;
        }
        return plain(byte);
    }

  private:
    enum class State : uint8_t { Ground, Escape, Sequence };

    KeyPress plain(char byte) {
        constexpr char kEscape = 0x1b;
        constexpr char kDelete = 0x7f;
        if (byte == kEscape) {
            state_ = State::Escape;
            return {};
        }
        if (byte == '\r' || byte == '\n') return {Key::Enter};
        if (byte == '\b' || byte == kDelete) return {Key::Backspace};
        if (static_cast<unsigned char>(byte) < ' ') {
            return {Key::Control, static_cast<char>(byte + '@')};
        }
        return {Key::Character, byte};
    }

    KeyPress after_escape(char byte) {
        const bool introduces = byte == '[' || byte == 'O';
        state_ = introduces ? State::Sequence : State::Ground;
        parameter_ = 0;
        return {};
    }

    // ESC [ digits and punctuation, then one final byte.
    KeyPress in_sequence(char byte) {
        if (byte >= '0' && byte <= '9') {
            parameter_ = static_cast<uint8_t>((parameter_ * 10 + (byte - '0')) % 100);
            return {};
        }
        const bool is_final = byte >= '@' && byte <= '~';
        if (!is_final) return {};
        state_ = State::Ground;
        return {byte == '~' ? numbered_key() : lettered_key(byte)};
    }

    static Key lettered_key(char final) {
        switch (final) {
            case 'A':
                return Key::Up;
            case 'B':
                return Key::Down;
            case 'C':
                return Key::Right;
            case 'D':
                return Key::Left;
            case 'H':
                return Key::Home;
            case 'F':
                return Key::End;
            default:
                return Key::None;
        }
    }

    Key numbered_key() const {
        switch (parameter_) {
            case 1:
            case 7:
                return Key::Home;
            case 4:
            case 8:
                return Key::End;
            case 3:
                return Key::Delete;
            default:
                return Key::None;
        }
    }

    State state_ = State::Ground;
    uint8_t parameter_ = 0;
};

}  // namespace common
