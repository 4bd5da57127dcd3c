// Takes text apart at separators, without copying it.
#pragma once

#include <cstddef>
#include <string_view>

namespace common {

// Cuts off and returns what precedes the first `separator` of `rest`, or all of it; `rest` keeps
// what follows the separator.
inline std::string_view take_until(std::string_view& rest, char separator) {
    const size_t end = rest.find(separator);
    const std::string_view taken = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return taken;
}

// Cuts off and returns the next word of `rest`, which blanks separate; empty when there is none.
inline std::string_view take_word(std::string_view& rest) {
    std::string_view word;
    while (!rest.empty() && word.empty()) word = take_until(rest, ' ');
    return word;
}

}  // namespace common
