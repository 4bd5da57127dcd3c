// The console server: one screen and one keyboard, shared by the streams that its clients open
// (protocols/console.h). One loop serves the clients' sessions, the outputs, the ends of inputs
// and the UART's interrupt.
//
// All tables are bounded, for each client and in all, and nothing waits for a client: one that
// does not take its replies is let go.
#pragma once

#include <kairos/server.hpp>

#include <vector>

#include "apps/common/connections.hpp"
#include "protocols/console.h"
#include "servers/console/inputs.hpp"
#include "servers/console/outputs.hpp"
#include "servers/console/screen.hpp"
#include "servers/console/uart.hpp"

namespace console {

class Console {
  public:
    explicit Console(Uart uart) : uart_(std::move(uart)) {}

    // Serves the clients that connect to `listen`. Returns only when it cannot begin, or cannot go
    // on.
    kairos::Result<> run(kairos::Channel listen);

  private:
    static constexpr size_t kClientsMax = 16;

    // How often the UART's buffer is emptied before others have their turn.
    static constexpr int kReceiveRounds = 16;

    // A client that has opened an input, and where it is told of ^C.
    struct Listener {
        uint64_t client;
        const kairos::Channel* channel;
    };

    void on_uart();
    void on_request(uint64_t client, kairos::Request& request);
    kairos::Result<> answer(uint64_t client, kairos::Request& request);
    kairos::Result<> answer_with_output(uint64_t client, kairos::Request& request);
    kairos::Result<> answer_with_input(uint64_t client, uint32_t mode, kairos::Request& request);
    kairos::Result<> find_terminal(uint64_t endpoint) const;
    static kairos::Result<> answer_with_status(kairos::Result<> result, kairos::Request& request);
    void on_interrupt(uint64_t client, uint64_t input);
    void forget_listener(uint64_t client);

    kairos::Server server_{KCHANNEL_MAX_MSG_BYTES};  // any text can be printed
    Uart uart_;
    Screen screen_{uart_};
    Outputs outputs_{server_, screen_};
    Inputs inputs_{server_, screen_,
                   [this](uint64_t client, uint64_t input) { on_interrupt(client, input); }};
    common::Connections clients_{
        server_, kClientsMax,
        [this](uint64_t client, kairos::Request& request) { on_request(client, request); },
        [this](uint64_t client) { forget_listener(client); }};

    std::vector<Listener> listeners_;  // one at most for each client
};

}  // namespace console
