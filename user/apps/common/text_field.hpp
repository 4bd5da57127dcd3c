// Text in the fixed-size fields of messages, which whoever sent them may have filled with anything.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

namespace common {

// The text of `field`; nothing if no zero ends it.
template <size_t Size>
std::optional<std::string_view> read_field(const char (&field)[Size]) {
    const size_t length = strnlen(field, Size);
    if (length == Size) return std::nullopt;
    return std::string_view{field, length};
}

// Fills `field` with `text` and zeros. False, and an empty field, if the text is too long.
template <size_t Size>
bool write_field(char (&field)[Size], std::string_view text) {
    std::memset(field, 0, Size);
    if (text.size() >= Size) return false;
    std::memcpy(field, text.data(), text.size());
    return true;
}

}  // namespace common
