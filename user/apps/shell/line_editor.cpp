// Line editing; see the header.
#include "apps/shell/line_editor.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "apps/common/utf8.hpp"

namespace shell {

using common::Key;

void LineEditor::begin(std::string_view prompt) {
    prompt_ = prompt;
    length_ = 0;
    cursor_ = 0;
    history_.stop_browsing();
    show();
}

LineEditor::Event LineEditor::feed(char byte) {
    const common::KeyPress press = decoder_.feed(byte);
    switch (press.key) {
        case Key::Character:
            insert(press.byte);
            break;
        case Key::Enter:
            return finish(Event::Submit);
        case Key::Backspace:
            erase(common::previous_character(line(), cursor_), cursor_);
            break;
        case Key::Delete:
            erase(cursor_, common::next_character(line(), cursor_));
            break;
        case Key::Left:
            move_to(common::previous_character(line(), cursor_));
            break;
        case Key::Right:
            move_to(common::next_character(line(), cursor_));
            break;
        case Key::Home:
            move_to(0);
            break;
        case Key::End:
            move_to(length_);
            break;
        case Key::Up:
            browse_older();
            break;
        case Key::Down:
            browse_newer();
            break;
        case Key::Control:
            return control(press.byte);
        case Key::None:
            break;
    }
    return Event::Nothing;
}

LineEditor::Event LineEditor::control(char letter) {
    switch (letter) {
        case 'A':
            move_to(0);
            break;
        case 'B':
            move_to(common::previous_character(line(), cursor_));
            break;
        case 'C':
            screen_.write("^C");
            return finish(Event::Abandon);
        case 'D':
            if (length_ == 0) return finish(Event::EndOfInput);
            erase(cursor_, common::next_character(line(), cursor_));
            break;
        case 'E':
            move_to(length_);
            break;
        case 'F':
            move_to(common::next_character(line(), cursor_));
            break;
        case 'K':
            erase(cursor_, length_);
            break;
        case 'L':
            screen_.write("\x1b[H\x1b[2J");
            show();
            break;
        case 'N':
            browse_newer();
            break;
        case 'P':
            browse_older();
            break;
        case 'U':
            erase(0, cursor_);
            break;
        case 'W':
            erase(common::previous_word(line(), cursor_), cursor_);
            break;
        default:
            break;
    }
    return Event::Nothing;
}

// The cursor goes to a new line whatever ended this one.
LineEditor::Event LineEditor::finish(Event event) {
    if (event == Event::Submit) history_.add(line());
    screen_.write("\n");
    return event;
}

void LineEditor::insert(char byte) {
    if (length_ == text_.size()) {
        screen_.write("\a");
        return;
    }
    std::memmove(&text_[cursor_ + 1], &text_[cursor_], length_ - cursor_);
    text_[cursor_++] = byte;
    ++length_;

    const bool plain_append =
        cursor_ == length_ && prompt_.size() + common::columns(line()) < kScreenColumns;
    if (plain_append) {
        screen_.write({&byte, 1});
    } else {
        show();
    }
}

void LineEditor::erase(size_t from, size_t to) {
    if (from == to) return;
    std::memmove(&text_[from], &text_[to], length_ - to);
    length_ -= to - from;
    cursor_ = from;
    show();
}

void LineEditor::move_to(size_t position) {
    if (position == cursor_) return;
    cursor_ = position;
    show();
}

void LineEditor::replace(std::string_view text) {
    std::copy(text.begin(), text.end(), text_.begin());
    length_ = text.size();
    cursor_ = length_;
    show();
}

void LineEditor::browse_older() {
    if (history_.has_older()) replace(history_.older());
}

void LineEditor::browse_newer() {
    if (history_.has_newer()) replace(history_.newer());
}

void LineEditor::hide() { screen_.write("\r\x1b[K"); }

// Prompt, then as much of the line as fits, in a window that has the cursor in it.
void LineEditor::show() {
    const size_t room = kScreenColumns - prompt_.size() - 1;
    size_t first = 0;
    while (common::columns(line().substr(first, cursor_ - first)) > room) {
        first = common::next_character(line(), first);
    }
    size_t last = length_;
    while (common::columns(line().substr(first, last - first)) > room) {
        last = common::previous_character(line(), last);
    }

    screen_.write("\r");
    screen_.write(prompt_);
    screen_.write(line().substr(first, last - first));
    screen_.write("\x1b[K");
    const size_t behind = common::columns(line().substr(cursor_, last - cursor_));
    if (behind > 0) {
        char move_left[16];
        const int length = std::snprintf(move_left, sizeof(move_left), "\x1b[%zuD", behind);
        screen_.write({move_left, static_cast<size_t>(length)});
    }
}

}  // namespace shell
