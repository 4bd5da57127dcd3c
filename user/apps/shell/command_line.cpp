// Taking a command line apart; see the header.
#include "apps/shell/command_line.hpp"

namespace shell {

namespace {

bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

bool is_operator(char byte) { return byte == '|' || byte == '<' || byte == '>' || byte == ';'; }

// A part that is no word: < > >> 2> 2>&1.
bool begins_redirection(std::string_view rest) {
    return rest.starts_with('<') || rest.starts_with('>') || rest.starts_with("2>");
}

}  // namespace

void CommandLine::reset() {
    used_ = 0;
    word_count_ = 0;
    stage_count_ = 0;
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
        if (position == line.size() || line[position] == '#') break;
        if (background_) return Problem::MisplacedAmpersand;
        const Problem problem = take_part(line, position);
        if (problem != Problem::None) return problem;
    }
    if (empty()) return Problem::None;
    if (stage_is_empty()) return Problem::MissingCommand;
    end_stage();
    return Problem::None;
}

CommandLine::Problem CommandLine::take_part(std::string_view line, size_t& position) {
    const char byte = line[position];
    if (byte == '&') {
        if (empty() || stage_is_empty()) return Problem::MisplacedAmpersand;
        background_ = true;
        ++position;
        return Problem::None;
    }
    if (byte == ';') return Problem::Unsupported;
    if (byte == '|') {
        if (empty() || stage_is_empty()) return Problem::MissingCommand;
        end_stage();
        ++position;
        return begin_stage();
    }
    if (empty()) begin_stage();
    return begins_redirection(line.substr(position)) ? take_redirection(line, position)
                                                     : take_argument(line, position);
}

CommandLine::Problem CommandLine::begin_stage() {
    if (stage_count_ == kStagesMax) return Problem::TooManyCommands;
    stages_[stage_count_++] = {.arguments = &words_[word_count_], .redirection = {}};
    return Problem::None;
}

void CommandLine::end_stage() { words_[word_count_++] = nullptr; }

CommandLine::Problem CommandLine::take_argument(std::string_view line, size_t& position) {
    // Each command keeps a place for its null.
    const size_t nulls = stage_count_ - 1;
    if (word_count_ - nulls == kWordsMax) return Problem::TooManyWords;
    const char* word;
    const Problem problem = take_word(line, position, word);
    if (problem == Problem::None) words_[word_count_++] = const_cast<char*>(word);
    return problem;
}

CommandLine::Problem CommandLine::take_redirection(std::string_view line, size_t& position) {
    Redirection& redirection = stages_[stage_count_ - 1].redirection;
    const std::string_view rest = line.substr(position);
    if (rest.starts_with("2>&1")) {
        redirection.error_to_output = true;
        position += 4;
        return Problem::None;
    }
    const bool append = rest.starts_with(">>");
    const char first = rest[0];
    position += append || first == '2' ? 2 : 1;
    while (position < line.size() && is_blank(line[position])) ++position;
    if (position == line.size() || is_operator(line[position]) || line[position] == '&' ||
        line[position] == '#') {
        return Problem::MissingFile;
    }
    const char*& file = first == '<'   ? redirection.input
                        : first == '2' ? redirection.error
                                       : redirection.output;
    if (first == '>') redirection.append = append;
    return take_word(line, position, file);
}

// Copies the word at `position` into storage, without its quotes. Each byte stored, the ending
// zero included, has a byte of the line of its own or what stands behind it, so storage suffices.
CommandLine::Problem CommandLine::take_word(std::string_view line, size_t& position,
                                            const char*& word) {
    word = &storage_[used_];
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
        } else if (is_operator(byte) || is_blank(byte) || byte == '&') {
            break;
        } else {
            storage_[used_++] = byte;
        }
    }
    if (quote != 0) return Problem::OpenQuote;
    storage_[used_++] = 0;
    return Problem::None;
}

const char* describe(CommandLine::Problem problem) {
    switch (problem) {
        case CommandLine::Problem::OpenQuote:
            return "a quote is not closed";
        case CommandLine::Problem::TooManyWords:
            return "too many words";
        case CommandLine::Problem::TooManyCommands:
            return "too many commands in one pipeline";
        case CommandLine::Problem::Unsupported:
            return "there are no lists; quote ; to use it as text";
        case CommandLine::Problem::MisplacedAmpersand:
            return "& belongs at the end of a command";
        case CommandLine::Problem::MissingCommand:
            return "a command is missing beside |, < or >";
        case CommandLine::Problem::MissingFile:
            return "a file is missing behind < or >";
        case CommandLine::Problem::None:
            break;
    }
    return "";
}

}  // namespace shell
