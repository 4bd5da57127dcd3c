// How a client comes to a service: see protocols/names.h.
#pragma once

#include <kairos/channel.hpp>

#include <string_view>

#include "apps/common/text_field.hpp"
#include "protocols/boot.h"
#include "protocols/names.h"

namespace common {

// Where this program asks for services; empty if it was given no names handle.
inline const kairos::Channel& names_handle() {
    static const kairos::Channel names(kairos::take_bootstrap(KAIROS_BOOT_NAMES));
    return names;
}

// Connects to `service`, and waits for its welcome until `deadline`. The welcome's refusals
// (protocols/names.h); -EBADF without a names handle, -EPIPE if the service ended meanwhile,
// -ETIMEDOUT.
inline kairos::Result<kairos::Channel> connect(std::string_view service, kairos_time_t deadline) {
    kairos_names_request request = {};
    request.kind = KAIROS_NAMES_CONNECT;
    if (!write_field(request.name, service)) return std::unexpected(kairos::Error::INVAL);
    auto ends = kairos::Channel::create();
    if (!ends) return std::unexpected(ends.error());

    kairos::Handle server_end = std::move(ends->second);
    const auto sent =
        names_handle().send(request, std::span(&server_end, 1), {.deadline = deadline});
    if (!sent) return std::unexpected(sent.error());

    kairos::MessageBuffer<sizeof(kairos_welcome)> message;
    const auto received = ends->first.receive(message, deadline);
    if (!received) return std::unexpected(received.error());
    const auto welcome = message.as<kairos_welcome>();
    if (!*received || !welcome) return std::unexpected(kairos::Error::PIPE);
    if (welcome->status < 0) return kairos::failure(welcome->status);
    return std::move(ends->first);
}

}  // namespace common
