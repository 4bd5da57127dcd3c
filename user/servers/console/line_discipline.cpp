// Cooked input; see the header.
#include "servers/console/line_discipline.hpp"

#include "apps/common/utf8.hpp"

namespace console {

using common::Key;

LineDiscipline::Event LineDiscipline::feed(char byte) {
    const common::KeyPress press = decoder_.feed(byte);
    switch (press.key) {
        case Key::Character:
            insert(press.byte);
            return Event::Nothing;
        case Key::Enter:
            line_[length_++] = '\n';  // insert() keeps this place free
            echo_.write("\n");
            return Event::Deliver;
        case Key::Backspace:
            erase_to(common::previous_character(text(), length_));
            return Event::Nothing;
        case Key::Control:
            return control(press.byte);
        default:
            return Event::Nothing;
    }
}

LineDiscipline::Event LineDiscipline::control(char letter) {
    switch (letter) {
        case 'C':
            clear();
            echo_.write("^C\n");
            return Event::Interrupt;
        case 'D':
            return Event::Deliver;
        case 'U':
            erase_to(0);
            return Event::Nothing;
        case 'W':
            erase_to(common::previous_word(text(), length_));
            return Event::Nothing;
        case 'I':  // a tab would have to be erased by its width; a blank does as well
            insert(' ');
            return Event::Nothing;
        default:
            return Event::Nothing;
    }
}

void LineDiscipline::insert(char byte) {
    const bool room = length_ + 1 < line_.size();  // one place is the newline's
    if (!room) {
        echo_.write("\a");
        return;
    }
    line_[length_++] = byte;
    echo_.write({&byte, 1});
}

void LineDiscipline::erase_to(size_t length) {
    size_t erased = common::columns(text().substr(length));
    for (; erased > 0; --erased) echo_.write("\b \b");
    length_ = length;
}

}  // namespace console
