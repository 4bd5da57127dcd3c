// Who gets what is typed: the open inputs, the one opened last in the foreground.
//
//   bytes ──► foreground is raw ─────────────────────────► its channel
//         ├─► foreground is cooked ──► line discipline ──► its channel, line by line
//         └─► no input is open ──────► kept for the next one to open
//
// Delivery never waits. What a raw reader's queue has no room for, small as the messages may be, is
// kept and follows in one message; a reader that lets that fill up as well, or a cooked one its
// queue, loses what comes then, with a bell.
#pragma once

#include <kairos/server.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "apps/common/byte_sink.hpp"
#include "protocols/console.h"
#include "servers/console/line_discipline.hpp"

namespace console {

class Inputs {
  public:
    static constexpr size_t kMax = 16;
    static constexpr size_t kMaxOfClient = 4;

    // Told of each ^C typed at a cooked input: whose it is, and its number.
    using InterruptHandler = std::function<void(uint64_t client, uint64_t input)>;

    // `server` notices the ends of readers; it and `screen` must outlive this.
    Inputs(kairos::Server& server, common::ByteSink& screen, InterruptHandler on_interrupt)
        : server_(server),
          screen_(screen),
          on_interrupt_(std::move(on_interrupt)),
          discipline_(screen) {}

    struct Opened {
        uint64_t number;
        kairos::Channel reader;
    };

    // Opens an input for `client` in the foreground. -EINVAL for an unknown mode, -EMFILE if there
    // are too many, errors of making and watching a channel.
    kairos::Result<Opened> open(uint64_t client, uint32_t mode);

    // Closes an input of `client`. -ENOENT if it has no such.
    kairos::Result<> close(uint64_t client, uint64_t number);

    // Whether the endpoint with this id is our end of one.
    bool has(uint64_t endpoint) const;

    // Takes what was typed.
    void type(std::string_view bytes);

  private:
    struct Input {
        uint64_t number = 0;  // rising; 0: this place is free
        uint64_t client = 0;
        uint32_t mode = KAIROS_CONSOLE_COOKED;
        kairos::Channel channel;
        uint64_t endpoint = 0;  // the channel's id
        uint64_t watch = 0;     // the server's name for watching the channel
        std::string waiting;    // of a raw one: comes after what is in its queue
    };

    static constexpr size_t kWaitingMax = KAIROS_CONSOLE_INPUT_MAX;  // one message
    static constexpr size_t kTypedAheadMax = KAIROS_CONSOLE_INPUT_MAX;
    static_assert(LineDiscipline::kLineMax <= KAIROS_CONSOLE_INPUT_MAX);

    Input* free_place(uint64_t client);
    Input* foreground();
    void close(Input& input);
    void hand_over_unfinished_line();
    void type_cooked(const Input& input, char byte);
    void deliver(const Input& input, std::string_view bytes);
    void deliver_raw(Input& input, std::string_view bytes);
    void deliver_waiting(uint64_t number);
    bool send(const Input& input, std::string_view bytes);
    void keep(std::string_view bytes);

    kairos::Server& server_;
    common::ByteSink& screen_;
    InterruptHandler on_interrupt_;
    LineDiscipline discipline_;  // shared: an unfinished line outlives a change of reader
    uint64_t last_number_ = 0;
    std::array<Input, kMax> inputs_;
    std::array<char, kTypedAheadMax> typed_ahead_{};
    size_t typed_ahead_length_ = 0;
};

}  // namespace console
