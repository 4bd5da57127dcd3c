// The open inputs; see the header.
#include "servers/console/inputs.hpp"

#include <algorithm>
#include <utility>

#include "apps/common/object_id.hpp"

namespace console {

kairos::Result<Inputs::Opened> Inputs::open(uint64_t client, uint32_t mode) {
    if (mode != KAIROS_CONSOLE_COOKED && mode != KAIROS_CONSOLE_RAW) {
        return std::unexpected(kairos::Error::INVAL);
    }
    Input* input = free_place(client);
    if (input == nullptr) return std::unexpected(kairos::Error::MFILE);

    auto ends = kairos::Channel::create();
    if (!ends) return std::unexpected(ends.error());
    const auto limited =
        ends->second.limit_rights(KRIGHT_READ | KRIGHT_WAIT | KRIGHT_TRANSFER | KRIGHT_DUPLICATE);
    if (!limited) return std::unexpected(limited.error());
    const uint64_t number = last_number_ + 1;
    const auto watch = server_.watch(ends->first, KPORT_BIND_PEER_CLOSED | KPORT_BIND_WRITABLE,
                                     [this, client, number](const kairos_port_packet& packet) {
                                         if ((packet.observed & KPORT_BIND_PEER_CLOSED) != 0) {
                                             close(client, number);
                                         } else {
                                             deliver_waiting(number);
                                         }
                                     });
    if (!watch) return std::unexpected(watch.error());

    last_number_ = number;
    const uint64_t endpoint = common::id_of(ends->first);
    *input = {number, client, mode, std::move(ends->first), endpoint, *watch, {}};
    const size_t length = std::exchange(typed_ahead_length_, 0);
    type({typed_ahead_.data(), length});
    return Opened{number, std::move(ends->second)};
}

Inputs::Input* Inputs::free_place(uint64_t client) {
    size_t of_client = 0;
    Input* place = nullptr;
    for (Input& input : inputs_) {
        if (input.number == 0) {
            place = &input;
        } else if (input.client == client) {
            ++of_client;
        }
    }
    return of_client < kMaxOfClient ? place : nullptr;
}

Inputs::Input* Inputs::foreground() {
    Input* newest = std::ranges::max_element(inputs_, {}, &Input::number);
    return newest->number != 0 ? newest : nullptr;
}

bool Inputs::has(uint64_t endpoint) const {
    return std::ranges::find(inputs_, endpoint, &Input::endpoint) != inputs_.end();
}

kairos::Result<> Inputs::close(uint64_t client, uint64_t number) {
    for (Input& input : inputs_) {
        if (number == 0 || input.number != number || input.client != client) continue;
        close(input);
        return {};
    }
    return std::unexpected(kairos::Error::NOENT);
}

void Inputs::close(Input& input) {
    const bool was_foreground = &input == foreground();
    server_.drop(input.watch);
    const std::string waiting = std::move(input.waiting);
    input = {};
    if (!was_foreground) return;
    type(waiting);
    hand_over_unfinished_line();
}

// To a cooked reader it stays editable where it is; a raw one, or whoever comes next, gets it as
// typed.
void Inputs::hand_over_unfinished_line() {
    const Input* next = foreground();
    if (next != nullptr && next->mode == KAIROS_CONSOLE_COOKED) return;
    type(discipline_.text());
    discipline_.clear();
}

void Inputs::type(std::string_view bytes) {
    if (bytes.empty()) return;
    Input* input = foreground();
    if (input == nullptr) {
        keep(bytes);
    } else if (input->mode == KAIROS_CONSOLE_RAW) {
        deliver_raw(*input, bytes);
    } else {
        for (char byte : bytes) type_cooked(*input, byte);
    }
}

void Inputs::type_cooked(const Input& input, char byte) {
    switch (discipline_.feed(byte)) {
        case LineDiscipline::Event::Deliver:
            deliver(input, discipline_.text());
            discipline_.clear();
            break;
        case LineDiscipline::Event::Interrupt:
            on_interrupt_(input.client, input.number);
            break;
        case LineDiscipline::Event::Nothing:
            break;
    }
}

void Inputs::deliver(const Input& input, std::string_view bytes) {
    if (!send(input, bytes)) screen_.write("\a");
}

void Inputs::deliver_raw(Input& input, std::string_view bytes) {
    if (input.waiting.empty() && send(input, bytes)) return;
    const std::string_view kept = bytes.substr(0, kWaitingMax - input.waiting.size());
    input.waiting += kept;
    if (kept.size() != bytes.size()) screen_.write("\a");
}

// There is room in its queue again.
void Inputs::deliver_waiting(uint64_t number) {
    for (Input& input : inputs_) {
        if (input.number != number || input.waiting.empty()) continue;
        if (send(input, input.waiting)) input.waiting.clear();
    }
}

// False if there is no room. A reader that has gone takes everything.
bool Inputs::send(const Input& input, std::string_view bytes) {
    const auto sent = input.channel.send(bytes, {}, {.options = KCHANNEL_OPT_NONBLOCK});
    return sent || sent.error() != kairos::Error::AGAIN;
}

void Inputs::keep(std::string_view bytes) {
    const size_t room = typed_ahead_.size() - typed_ahead_length_;
    const std::string_view kept = bytes.substr(0, room);
    std::ranges::copy(kept, typed_ahead_.begin() + typed_ahead_length_);
    typed_ahead_length_ += kept.size();
}

}  // namespace console
