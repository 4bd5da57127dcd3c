// The shell's side of the console; see the header.
#include "apps/shell/terminal.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "apps/common/connect.hpp"

namespace shell {

namespace {

using ReplyBuffer = kairos::MessageBuffer<sizeof(kairos_console_reply)>;

// Asks the console, which answers at once; the deadline is for one that hangs.
kairos::Result<kairos_console_reply> ask(const kairos::Channel& session,
                                         const kairos_console_request& request,
                                         ReplyBuffer& buffer) {
    const kairos_time_t deadline = kairos::after(5 * kairos::kSecond);
    const auto called = session.call(kairos::bytes_of(request), buffer, {}, deadline);
    if (!called) return std::unexpected(called.error());
    const auto reply = buffer.as<kairos_console_reply>();
    if (!reply) return std::unexpected(kairos::Error::IO);
    if (reply->status < 0) return kairos::failure(reply->status);
    return *reply;
}

}  // namespace

kairos::Result<> Terminal::open(kairos_time_t deadline) {
    *this = {};
    auto session = common::connect(KAIROS_CONSOLE_SERVICE, deadline);
    if (!session) return std::unexpected(session.error());
    session_ = std::move(*session);
    auto output = open_output();
    if (!output) return std::unexpected(output.error());
    auto keys = open_input(KAIROS_CONSOLE_RAW);
    if (!keys) return std::unexpected(keys.error());
    output_ = std::move(*output);
    keys_ = std::move(keys->stream);
    return {};
}

kairos::Result<kairos::Channel> Terminal::open_output() {
    ReplyBuffer buffer;
    const auto reply =
        ask(session_, {.kind = KAIROS_CONSOLE_OPEN_OUTPUT, .mode = 0, .input = 0}, buffer);
    if (!reply) return std::unexpected(reply.error());
    return kairos::Channel(buffer.take_handle());
}

kairos::Result<ForegroundInput> Terminal::open_input(uint32_t mode) {
    ReplyBuffer buffer;
    const auto reply =
        ask(session_, {.kind = KAIROS_CONSOLE_OPEN_INPUT, .mode = mode, .input = 0}, buffer);
    if (!reply) return std::unexpected(reply.error());
    return ForegroundInput{reply->input, kairos::Channel(buffer.take_handle())};
}

void Terminal::write(std::string_view text) {
    while (!text.empty()) {
        if (text_length_ == text_.size()) flush();
        const std::string_view part = text.substr(0, text_.size() - text_length_);
        std::ranges::copy(part, text_.begin() + text_length_);
        text_length_ += part.size();
        text.remove_prefix(part.size());
    }
}

void Terminal::print(const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    write(text);
}

// Waits while the console has much to print. Without a console the text is lost; that it is gone
// shows when keys are received.
void Terminal::flush() {
    if (text_length_ == 0) return;
    kairos_object_write(output_.get(), text_.data(), text_length_, 0);
    text_length_ = 0;
}

std::optional<char> Terminal::next_key() {
    if (!has_keys()) return std::nullopt;
    return typed_[typed_first_++];
}

// Taking makes room for what the console could not deliver, and it delivers that before it answers:
// from then on it keeps nothing that was typed before.
kairos::Result<ForegroundInput> Terminal::open_foreground() {
    receive_keys();
    return open_input(KAIROS_CONSOLE_COOKED);
}

// What was typed first comes first: what was there before the input was opened, then what the
// console has delivered to it; once it is closed, more may come to the shell.
void Terminal::close_foreground(ForegroundInput& input) {
    receive_keys();
    ReplyBuffer buffer;
    ask(session_, {.kind = KAIROS_CONSOLE_CLOSE_INPUT, .mode = 0, .input = input.number}, buffer);
    receive_typed(input.stream);
    input = {};
}

// Receives all that waits in `input` and that there is room for. False at its end.
bool Terminal::receive_typed(const kairos::Channel& input) {
    std::copy(typed_.begin() + typed_first_, typed_.begin() + typed_last_, typed_.begin());
    typed_last_ -= typed_first_;
    typed_first_ = 0;
    kairos::MessageBuffer<KAIROS_CONSOLE_INPUT_MAX> message;
    while (typed_.size() - typed_last_ >= KAIROS_CONSOLE_INPUT_MAX) {
        const auto received = input.receive(message, KAIROS_TIME_INFINITE, KCHANNEL_OPT_NONBLOCK);
        if (!received) return received.error() == kairos::Error::AGAIN;
        if (!*received) return false;
        std::ranges::copy(message.text(), typed_.begin() + typed_last_);
        typed_last_ += message.text().size();
    }
    return true;
}

std::optional<uint64_t> Terminal::next_interrupt() {
    kairos::MessageBuffer<sizeof(kairos_console_event)> message;
    const auto received = session_.receive(message, KAIROS_TIME_INFINITE, KCHANNEL_OPT_NONBLOCK);
    if (!received || !*received) return std::nullopt;
    const auto event = message.as<kairos_console_event>();
    if (!event || event->kind != KAIROS_CONSOLE_INTERRUPT) return std::nullopt;
    return event->input;
}

}  // namespace shell
