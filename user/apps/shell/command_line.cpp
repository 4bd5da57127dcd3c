// Splitting a command line into words; see the header.
#include "apps/shell/command_line.hpp"

namespace shell {

namespace {

bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

bool is_operator(char byte) { return byte == '|' || byte == '<' || byte == '>' || byte == ';'; }

}  // namespace

void CommandLine::reset() {
    used_ = 0;
    count_ = 0;
    words_[0] = nullptr;
    background_ = false;
}

CommandLine::Problem CommandLine::parse(std::string_view line) {
    reset();
    const Problem problem = split(line.substr(0, kLineMax));
    if (problem != Problem::None) reset();
    return problem;
}

CommandLine::Problem CommandLine::split(std::string_view line) {
    size_t position = 0;
    while (true) {
        while (position < line.size() && is_blank(line[position])) ++position;
        if (position == line.size() || line[position] == '#') return Problem::None;
        if (background_) return Problem::MisplacedAmpersand;
        if (line[position] == '&') {
            if (empty()) return Problem::MisplacedAmpersand;
            background_ = true;
            ++position;
            continue;
        }
        const Problem problem = take_word(line, position);
        if (problem != Problem::None) return problem;
    }
}

// Copies the word at `position` into storage, without its quotes. Each byte stored, the ending
// zero included, has a byte of the line of its own or the blank behind it, so storage suffices.
CommandLine::Problem CommandLine::take_word(std::string_view line, size_t& position) {
    if (count_ == kWordsMax) return Problem::TooManyWords;
    words_[count_] = &storage_[used_];
    char quote = 0;
    for (; position < line.size(); ++position) {
        const char byte = line[position];
        if (byte == quote) {
            quote = 0;
        } else if (byte == '\\' && quote != '\'') {
            if (++position == line.size()) return Problem::OpenQuote;
            storage_[used_++] = line[position];
        } else if (quote != 0) {
            storage_[used_++] = byte;
        } else if (byte == '\'' || byte == '"') {
            quote = byte;
        } else if (is_operator(byte)) {
            return Problem::Unsupported;
        } else if (is_blank(byte) || byte == '&') {
            break;
        } else {
            storage_[used_++] = byte;
        }
    }
    if (quote != 0) return Problem::OpenQuote;
    storage_[used_++] = 0;
    words_[++count_] = nullptr;
    return Problem::None;
}

const char* describe(CommandLine::Problem problem) {
    switch (problem) {
        case CommandLine::Problem::OpenQuote:
            return "a quote is not closed";
        case CommandLine::Problem::TooManyWords:
            return "too many words";
        case CommandLine::Problem::Unsupported:
            return "there are no pipes, redirections or lists; quote | < > ; to use them as text";
        case CommandLine::Problem::MisplacedAmpersand:
            return "& belongs at the end of a command";
        case CommandLine::Problem::None:
            break;
    }
    return "";
}

}  // namespace shell
