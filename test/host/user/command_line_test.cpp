// The shell's words.
#include "apps/shell/command_line.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using Problem = shell::CommandLine::Problem;

std::vector<std::string> words(const shell::Stage& stage) {
    std::vector<std::string> found;
    for (char** word = stage.arguments; *word != nullptr; ++word) found.emplace_back(*word);
    return found;
}

// Of a line with one command, or none.
std::vector<std::string> words(shell::CommandLine& line, std::string_view text) {
    CHECK(line.parse(text) == Problem::None);
    if (line.empty()) return {};
    CHECK(line.stages().size() == 1);
    return words(line.stages()[0]);
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
    for (const char* text : {"a; b", ";", "a ;"}) {
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

TEST_CASE("command line: pipelines") {
    shell::CommandLine line;
    CHECK(line.parse("cat file | grep -n 'a|b'|wc&") == Problem::None);
    CHECK(line.background());
    REQUIRE(line.stages().size() == 3);
    CHECK(words(line.stages()[0]) == Words{"cat", "file"});
    CHECK(words(line.stages()[1]) == Words{"grep", "-n", "a|b"});
    CHECK(words(line.stages()[2]) == Words{"wc"});
    for (const char* text : {"|", "a |", "| a", "a | | b", "a || b", "a | # b", "a | > x"}) {
        CHECK(line.parse(text) == Problem::MissingCommand);
        CHECK(line.empty());
    }
    CHECK(line.parse("a | & b") == Problem::MisplacedAmpersand);
    std::string many = "x";
    for (size_t i = 1; i < shell::CommandLine::kStagesMax; ++i) many += "|x";
    CHECK(line.parse(many) == Problem::None);
    CHECK(line.parse(many + "|x") == Problem::TooManyCommands);
    // As many words as there may be, over as many commands.
    std::string full;
    for (size_t i = 0; i < shell::CommandLine::kWordsMax - 7; ++i) full += "x ";
    for (int i = 0; i < 7; ++i) full += "| y ";
    CHECK(line.parse(full) == Problem::None);
    CHECK(line.parse(full + "z") == Problem::TooManyWords);
}

TEST_CASE("command line: redirections") {
    shell::CommandLine line;
    CHECK(line.parse("a <in b>out 2> 'the errors' | c >>more 2>&1 < x") == Problem::None);
    REQUIRE(line.stages().size() == 2);
    const shell::Stage& first = line.stages()[0];
    CHECK(words(first) == Words{"a", "b"});
    CHECK(std::string(first.redirection.input) == "in");
    CHECK(std::string(first.redirection.output) == "out");
    CHECK(std::string(first.redirection.error) == "the errors");
    CHECK(!first.redirection.append);
    CHECK(!first.redirection.error_to_output);
    const shell::Stage& second = line.stages()[1];
    CHECK(words(second) == Words{"c"});
    CHECK(std::string(second.redirection.output) == "more");
    CHECK(second.redirection.append);
    CHECK(second.redirection.error_to_output);
    CHECK(line.parse("echo 2 >out 12 2") == Problem::None);
    CHECK(words(line.stages()[0]) == Words{"echo", "2", "12", "2"});
    for (const char* text : {"a >", "a > | b", "a <", "a >> & ", "a 2>", "a > # x", "a < > x"}) {
        CHECK(line.parse(text) == Problem::MissingFile);
        CHECK(line.empty());
    }
    CHECK(line.parse("< x") == Problem::MissingCommand);
}
