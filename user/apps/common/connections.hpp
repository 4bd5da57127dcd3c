// The clients of a service: welcomes those whose connections arrive on its listening channel
// (protocols/names.h), up to a bound, and hands on what they ask.
#pragma once

#include <kairos/server.hpp>

#include <cstdint>
#include <functional>

#include "protocols/names.h"

namespace common {

class Connections {
  public:
    // Called with a number that names the client and no later one.
    using RequestHandler = std::function<void(uint64_t client, kairos::Request&)>;
    using CloseHandler = std::function<void(uint64_t client)>;

    // At most `max` clients at a time. `server` must outlive this; this, the serving.
    Connections(kairos::Server& server, size_t max, RequestHandler on_request,
                CloseHandler on_close = {})
        : server_(server),
          max_(max),
          on_request_(std::move(on_request)),
          on_close_(std::move(on_close)) {}

    // Begins to accept what arrives on `channel`. Errors as kairos::Server::serve. Should the
    // channel be lost, the server is stopped: it could not be reached any more, its successor can.
    kairos::Result<> listen(kairos::Channel channel) {
        const auto served = server_.serve(
            std::move(channel),
            [this](kairos::Request& request) {
                kairos::Channel client(request.take_handle());
                if (client) accept(std::move(client));
            },
            [this] { server_.stop(); });
        if (!served) return std::unexpected(served.error());
        return {};
    }

  private:
    // The other end may be anything, and may be gone: then so is the connection.
    void accept(kairos::Channel channel) {
        const bool has_room = count_ < max_;
        const kairos_welcome welcome = {has_room ? 0 : -EMFILE};
        const auto told = channel.send(welcome, {}, {.options = KCHANNEL_OPT_NONBLOCK});
        if (!told || !has_room) return;
        const uint64_t client = ++last_client_;
        const auto served = server_.serve(
            std::move(channel),
            [this, client](kairos::Request& request) { on_request_(client, request); },
            [this, client] { on_close(client); });
        if (served) ++count_;
    }

    void on_close(uint64_t client) {
        --count_;
        if (on_close_) on_close_(client);
    }

    kairos::Server& server_;
    const size_t max_;
    RequestHandler on_request_;
    CloseHandler on_close_;
    size_t count_ = 0;
    uint64_t last_client_ = 0;
};

}  // namespace common
