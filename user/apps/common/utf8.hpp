// The little that a line editor has to know of UTF-8: where a character begins. Every character
// is taken to be one column wide; wide and combining characters are not handled.
#pragma once

#include <cstddef>
#include <string_view>

namespace common {

inline bool is_utf8_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

// The start of the character that ends just before `position`; 0 stays 0.
inline size_t previous_character(std::string_view text, size_t position) {
    if (position == 0) return 0;
    do {
        --position;
    } while (position > 0 && is_utf8_continuation(text[position]));
    return position;
}

// The position just after the character that begins at `position`; the end stays the end.
inline size_t next_character(std::string_view text, size_t position) {
    if (position >= text.size()) return text.size();
    do {
        ++position;
    } while (position < text.size() && is_utf8_continuation(text[position]));
    return position;
}

// How many columns `text` takes on the screen.
inline size_t columns(std::string_view text) {
    size_t count = 0;
    for (char byte : text) {
        if (!is_utf8_continuation(byte)) ++count;
    }
    return count;
}

// The start of the word that ends at or before `position`: blanks first, then the word itself.
inline size_t previous_word(std::string_view text, size_t position) {
    while (position > 0 && text[position - 1] == ' ') --position;
    while (position > 0 && text[position - 1] != ' ') --position;
    return position;
}

}  // namespace common
