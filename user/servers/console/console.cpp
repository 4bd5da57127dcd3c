// The console server; see the header.
#include "servers/console/console.hpp"

#include <errno.h>

namespace console {

kairos::Result<> Console::run(kairos::Channel listen) {
    const auto listening = clients_.listen(std::move(listen));
    if (!listening) return listening;
    const auto watching = server_.watch(uart_.interrupt(), KPORT_BIND_INTERRUPT,
                                        [this](const kairos_port_packet&) { on_uart(); });
    if (!watching) return std::unexpected(watching.error());
    uart_.start();
    server_.run();
    return {};
}

void Console::on_uart() {
    for (int round = 0; round < kReceiveRounds; ++round) {
        const std::string_view bytes = uart_.receive();
        if (bytes.empty()) break;
        inputs_.type(bytes);
    }
    uart_.rearm();
}

void Console::on_request(uint64_t client, kairos::Request& request) {
    if (!answer(client, request)) request.close();
}

kairos::Result<> Console::answer(uint64_t client, kairos::Request& request) {
    const auto wanted = request.as<kairos_console_request>();
    switch (wanted ? wanted->kind : 0) {
        case KAIROS_CONSOLE_OPEN_OUTPUT:
            return answer_with_output(client, request);
        case KAIROS_CONSOLE_OPEN_INPUT:
            return answer_with_input(client, wanted->mode, request);
        case KAIROS_CONSOLE_CLOSE_INPUT:
            return answer_with_status(inputs_.close(client, wanted->input), request);
        case KAIROS_CONSOLE_IS_TERMINAL:
            return answer_with_status(find_terminal(wanted->input), request);
        default:
            return answer_with_status(std::unexpected(kairos::Error::INVAL), request);
    }
}

kairos::Result<> Console::find_terminal(uint64_t endpoint) const {
    if (endpoint != 0 && (inputs_.has(endpoint) || outputs_.has(endpoint))) return {};
    return std::unexpected(kairos::Error::NOENT);
}

kairos::Result<> Console::answer_with_status(kairos::Result<> result, kairos::Request& request) {
    const kairos_status_t status = result ? 0 : kairos::to_status(result.error());
    return request.reply(kairos_console_reply{.status = status, .input = 0});
}

kairos::Result<> Console::answer_with_output(uint64_t client, kairos::Request& request) {
    auto writer = outputs_.open(client);
    if (!writer) return answer_with_status(std::unexpected(writer.error()), request);
    kairos::Handle stream = std::move(*writer);
    return request.reply(kairos_console_reply{.status = 0, .input = 0}, std::span(&stream, 1));
}

kairos::Result<> Console::answer_with_input(uint64_t client, uint32_t mode,
                                            kairos::Request& request) {
    auto opened = inputs_.open(client, mode);
    if (!opened) return answer_with_status(std::unexpected(opened.error()), request);
    forget_listener(client);
    listeners_.push_back({client, &request.channel()});
    kairos::Handle stream = std::move(opened->reader);
    return request.reply(kairos_console_reply{.status = 0, .input = opened->number},
                         std::span(&stream, 1));
}

// A client whose session is closed is not told; its input may live on.
void Console::on_interrupt(uint64_t client, uint64_t input) {
    const kairos_console_event event = {
        .kind = KAIROS_CONSOLE_INTERRUPT, .reserved = 0, .input = input};
    for (const Listener& listener : listeners_) {
        if (listener.client != client) continue;
        listener.channel->send(event, {}, {.options = KCHANNEL_OPT_NONBLOCK});
    }
}

void Console::forget_listener(uint64_t client) {
    std::erase_if(listeners_, [=](const Listener& one) { return one.client == client; });
}

}  // namespace console
