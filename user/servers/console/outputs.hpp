// The open outputs: byte channels whose messages are printed in the order in which they come.
#pragma once

#include <kairos/server.hpp>

#include <array>
#include <cstdint>

#include "apps/common/byte_sink.hpp"

namespace console {

class Outputs {
  public:
    static constexpr size_t kMax = 16;
    static constexpr size_t kMaxOfClient = 4;

    // `server` receives what is to be printed; it and `screen` must outlive this.
    Outputs(kairos::Server& server, common::ByteSink& screen) : server_(server), screen_(screen) {}

    // Opens an output for `client`: its writer's end. It closes when its last writer has gone.
    // -EMFILE if there are too many, errors of making and serving a channel.
    kairos::Result<kairos::Channel> open(uint64_t client);

    // Whether the endpoint with this id is our end of one.
    bool has(uint64_t endpoint) const;

  private:
    struct Output {
        uint64_t client = 0;    // 0: a free place
        uint64_t endpoint = 0;  // the id of our end
    };

    Output* free_place(uint64_t client);

    kairos::Server& server_;
    common::ByteSink& screen_;
    std::array<Output, kMax> outputs_{};
};

}  // namespace console
