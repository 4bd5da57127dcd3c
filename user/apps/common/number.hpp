// Numbers as people type them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace common {

// `text` as a decimal number; nothing if it is anything else.
inline std::optional<uint64_t> parse_number(std::string_view text) {
    uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return number;
}

}  // namespace common
