// The shell's line editor: what becomes of the line, and what the screen is told.
#include "apps/shell/line_editor.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace {

class Recorder final : public common::ByteSink {
  public:
    void write(std::string_view bytes) override { text += bytes; }
    std::string text;
};

using Event = shell::LineEditor::Event;

struct Fixture {
    Recorder screen;
    shell::History history;
    shell::LineEditor editor{screen, history};

    Fixture() { editor.begin("> "); }

    Event type(std::string_view keys) {
        Event event = Event::Nothing;
        for (char key : keys) event = editor.feed(key);
        return event;
    }

    void enter(std::string_view line) {
        type(line);
        type("\r");
        editor.begin("> ");
    }
};

constexpr const char* kUp = "\x1b[A";
constexpr const char* kDown = "\x1b[B";
constexpr const char* kLeft = "\x1b[D";

}  // namespace

TEST_CASE_FIXTURE(Fixture, "line editor: Enter submits the line") {
    CHECK(type("echo hi\r") == Event::Submit);
    CHECK(editor.line() == "echo hi");
}

TEST_CASE_FIXTURE(Fixture, "line editor: typing in the middle") {
    type("wrld");
    for (int i = 0; i < 3; ++i) type(kLeft);
    type("o");
    CHECK(editor.line() == "world");
}

TEST_CASE_FIXTURE(Fixture, "line editor: ^A ^E ^K ^U ^W") {
    type("one two three\x17");
    CHECK(editor.line() == "one two ");
    type(
        "\x01zero \x05"
        "four");
    CHECK(editor.line() == "zero one two four");
    type("\x01\x06\x06\x06\x06\x0b");
    CHECK(editor.line() == "zero");
    type("\x15");
    CHECK(editor.line().empty());
}

TEST_CASE_FIXTURE(Fixture, "line editor: ^C abandons, ^D ends only an empty line") {
    CHECK(type("x\x03") == Event::Abandon);
    editor.begin("> ");
    CHECK(type("x\x04") == Event::Nothing);
    CHECK(type("\x7f\x04") == Event::EndOfInput);
}

TEST_CASE_FIXTURE(Fixture, "line editor: history goes back and forth and ends at both sides") {
    enter("one");
    enter("two");
    enter("two");
    enter("");
    type(kUp);
    CHECK(editor.line() == "two");
    type(kUp);
    type(kUp);
    CHECK(editor.line() == "one");
    type(kDown);
    CHECK(editor.line() == "two");
    type(kDown);
    CHECK(editor.line().empty());
    type(kDown);
    CHECK(editor.line().empty());
}

TEST_CASE_FIXTURE(Fixture, "line editor: history keeps the newest lines") {
    const size_t lines = shell::History::kLines;
    for (size_t i = 0; i < 2 * lines; ++i) enter(std::to_string(i));
    for (size_t i = 0; i < 2 * lines; ++i) type(kUp);
    CHECK(editor.line() == std::to_string(lines));
}

TEST_CASE_FIXTURE(Fixture, "line editor: the cursor moves by characters, not by bytes") {
    type(
        "a\xc3\xa4"
        "b");
    type(kLeft);
    type(kLeft);
    type("\x7f");
    CHECK(editor.line() ==
          "\xc3\xa4"
          "b");
}

TEST_CASE_FIXTURE(Fixture, "line editor: a long line is shown through a window, and is bounded") {
    type(std::string(2 * shell::kLineMax, 'x'));
    CHECK(editor.line().size() == shell::kLineMax);
    screen.text.clear();
    type("\x01");
    CHECK(screen.text.size() < 100);
}
