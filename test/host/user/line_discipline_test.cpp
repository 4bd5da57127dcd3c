// The console's cooked input: what a reader gets and what the screen shows.
#include "servers/console/line_discipline.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

class Recorder final : public common::ByteSink {
  public:
    void write(std::string_view bytes) override { text += bytes; }
    std::string text;
};

using Event = console::LineDiscipline::Event;

// Types `keys`; the last event.
Event type(console::LineDiscipline& discipline, std::string_view keys) {
    Event event = Event::Nothing;
    for (char key : keys) event = discipline.feed(key);
    return event;
}

}  // namespace

TEST_CASE("line discipline: a line is delivered with its newline, and echoed") {
    Recorder screen;
    console::LineDiscipline discipline(screen);
    CHECK(type(discipline, "ls\r") == Event::Deliver);
    CHECK(discipline.text() == "ls\n");
    CHECK(screen.text == "ls\n");
}

TEST_CASE("line discipline: backspace takes away a whole character from line and screen") {
    Recorder screen;
    console::LineDiscipline discipline(screen);
    type(discipline, "a\xc3\xa4\x7f");
    CHECK(discipline.text() == "a");
    CHECK(screen.text == "a\xc3\xa4\b \b");
    type(discipline, "\x7f\x7f\x7f");
    CHECK(discipline.text().empty());
}

TEST_CASE("line discipline: ^W takes a word with the blanks behind it, ^U the line") {
    Recorder screen;
    console::LineDiscipline discipline(screen);
    type(discipline, "one two  \x17");
    CHECK(discipline.text() == "one ");
    type(discipline, "\x15");
    CHECK(discipline.text().empty());
}

TEST_CASE("line discipline: ^C drops the line and interrupts") {
    Recorder screen;
    console::LineDiscipline discipline(screen);
    CHECK(type(discipline, "spin\x03") == Event::Interrupt);
    CHECK(discipline.text().empty());
    CHECK(screen.text == "spin^C\n");
}

TEST_CASE("line discipline: ^D delivers what there is, nothing at the beginning of a line") {
    Recorder screen;
    console::LineDiscipline discipline(screen);
    CHECK(type(discipline, "x\x04") == Event::Deliver);
    CHECK(discipline.text() == "x");
    discipline.clear();
    CHECK(type(discipline, "\x04") == Event::Deliver);
    CHECK(discipline.text().empty());
}

TEST_CASE("line discipline: cursor keys leave nothing in the line") {
    Recorder screen;
    console::LineDiscipline discipline(screen);
    type(discipline, "a\x1b[A\x1b[3~\x1bOHb");
    CHECK(discipline.text() == "ab");
}

TEST_CASE("line discipline: a line that is too long rings, and can still be ended") {
    Recorder screen;
    console::LineDiscipline discipline(screen);
    type(discipline, std::string(2 * console::LineDiscipline::kLineMax, 'q'));
    CHECK(screen.text.back() == '\a');
    CHECK(type(discipline, "\n") == Event::Deliver);
    CHECK(discipline.text().size() == console::LineDiscipline::kLineMax);
    CHECK(discipline.text().back() == '\n');
}
