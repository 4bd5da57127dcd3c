// The shell's words.
#include "apps/shell/command_line.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using Problem = shell::CommandLine::Problem;

std::vector<std::string> words(shell::CommandLine& line, std::string_view text) {
    CHECK(line.parse(text) == Problem::None);
    std::vector<std::string> found;
    for (size_t i = 0; i < line.count(); ++i) found.emplace_back(line.word(i));
    CHECK(line.arguments()[line.count()] == nullptr);
    return found;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("command line: blanks, quotes and backslashes") {
    shell::CommandLine line;
    CHECK(words(line, "  ls   -l  ") == Words{"ls", "-l"});
    CHECK(words(line, "echo 'a b' \"c \\\" d\" e\\ f '' x'y'z") ==
          Words{"echo", "a b", "c \" d", "e f", "", "xyz"});
    CHECK(words(line, "echo '|<>;&#'") == Words{"echo", "|<>;&#"});
}

TEST_CASE("command line: nothing and comments") {
    shell::CommandLine line;
    CHECK(words(line, "").empty());
    CHECK(words(line, "   # ls").empty());
    CHECK(words(line, "echo a#b # c") == Words{"echo", "a#b"});
}

TEST_CASE("command line: the background") {
    shell::CommandLine line;
    CHECK(words(line, "spin&") == Words{"spin"});
    CHECK(line.background());
    CHECK(words(line, "spin") == Words{"spin"});
    CHECK(!line.background());
    CHECK(line.parse("&") == Problem::MisplacedAmpersand);
    CHECK(line.parse("a & b") == Problem::MisplacedAmpersand);
}

TEST_CASE("command line: what is not understood leaves no words") {
    shell::CommandLine line;
    for (const char* text : {"a | b", "a > b", "a; b"}) {
        CHECK(line.parse(text) == Problem::Unsupported);
        CHECK(line.empty());
    }
    CHECK(line.parse("echo 'open") == Problem::OpenQuote);
    CHECK(line.parse("echo \\") == Problem::OpenQuote);
    std::string many;
    for (size_t i = 0; i <= shell::CommandLine::kWordsMax; ++i) many += "x ";
    CHECK(line.parse(many) == Problem::TooManyWords);
    CHECK(line.empty());
}
