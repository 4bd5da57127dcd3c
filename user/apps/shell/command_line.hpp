// Takes a command line apart. Blanks separate words; '...' takes everything literally, "..."
// everything but a backslash, and \ the character after it. A word that begins with an unquoted #
// begins a comment; a final unquoted & asks for the background.
//
//     COMMAND [WORD...] [| COMMAND [WORD...]]...    each reads what the one before it writes
//     < FILE   > FILE   >> FILE   2> FILE   2>&1    of the command they stand with
//
// There are no lists (;), which are refused unless quoted, so that a line never does something else
// than it says. Portable logic.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "apps/shell/history.hpp"

namespace shell {

// Where a command's streams lead, other than to its neighbours and the console; null: nowhere else.
struct Redirection {
    const char* input = nullptr;
    const char* output = nullptr;
    const char* error = nullptr;
    bool append = false;           // the output
    bool error_to_output = false;  // wherever that goes
};

// One command of a pipeline.
struct Stage {
    char** arguments = nullptr;  // NULL-terminated, as all below good until the next parse
    Redirection redirection;
};

class CommandLine {
  public:
    static constexpr size_t kWordsMax = 32;
    static constexpr size_t kStagesMax = 8;

    enum class Problem {
        None,
        OpenQuote,
        TooManyWords,
        TooManyCommands,
        Unsupported,
        MisplacedAmpersand,
        MissingCommand,
        MissingFile,
    };

    // Replaces what was parsed before. On a problem there are no commands.
    Problem parse(std::string_view line);

    bool empty() const { return stage_count_ == 0; }
    std::span<Stage> stages() { return std::span(stages_).first(stage_count_); }
    bool background() const { return background_; }

  private:
    Problem split(std::string_view line);
    Problem take_part(std::string_view line, size_t& position);
    Problem take_word(std::string_view line, size_t& position, const char*& word);
    Problem take_argument(std::string_view line, size_t& position);
    Problem take_redirection(std::string_view line, size_t& position);
    Problem begin_stage();
    void end_stage();
    bool stage_is_empty() const { return word_count_ == 0 || words_[word_count_ - 1] == nullptr; }
    void reset();

    std::array<char, 2 * kLineMax> storage_{};  // every word and its ending zero
    size_t used_ = 0;
    std::array<char*, kWordsMax + kStagesMax> words_{};  // a null behind those of each command
    size_t word_count_ = 0;
    std::array<Stage, kStagesMax> stages_{};
    size_t stage_count_ = 0;
    bool background_ = false;
};

// What to tell the person who typed it.
const char* describe(CommandLine::Problem problem);

}  // namespace shell
