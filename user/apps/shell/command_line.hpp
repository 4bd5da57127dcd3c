// Splits a command line into words. Blanks separate words; '...' takes everything literally,
// "..." everything but a backslash, and \ the character after it. A word that begins with an
// unquoted # begins a comment; a final unquoted & asks for the background.
//
// There are no pipes, redirections or lists: their characters are refused unless quoted, so that
// a line never does something else than it says. Portable logic.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "apps/shell/history.hpp"

namespace shell {

class CommandLine {
  public:
    static constexpr size_t kWordsMax = 32;

    enum class Problem { None, OpenQuote, TooManyWords, Unsupported, MisplacedAmpersand };

    // Replaces what was parsed before. On a problem there are no words.
    Problem parse(std::string_view line);

    size_t count() const { return count_; }
    bool empty() const { return count_ == 0; }
    const char* word(size_t index) const { return words_[index]; }
    bool background() const { return background_; }

    // The words from `first` on as a NULL-terminated vector, good until the next parse.
    char** arguments(size_t first = 0) { return &words_[first]; }

  private:
    Problem split(std::string_view line);
    Problem take_word(std::string_view line, size_t& position);
    void reset();

    std::array<char, 2 * kLineMax> storage_{};  // every word and its ending zero
    size_t used_ = 0;
    std::array<char*, kWordsMax + 1> words_{};
    size_t count_ = 0;
    bool background_ = false;
};

// What to tell the person who typed it.
const char* describe(CommandLine::Problem problem);

}  // namespace shell
