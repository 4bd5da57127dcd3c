// How a client comes to a service: see protocols/names.h.
#pragma once

#include <kairos/channel.hpp>

#include <string_view>

#include "lib/connect.hpp"
#include "protocols/boot.h"
#include "protocols/names.h"

namespace common {

// Where this program asks for services; empty if it was given no names handle.
inline const kairos::Channel& names_handle() {
    static const kairos::Channel names(kairos::take_bootstrap(KAIROS_BOOT_NAMES));
    return names;
}

// Connects to `service`. Errors as kairos::internal::connect.
inline kairos::Result<kairos::Channel> connect(std::string_view service, kairos_time_t deadline) {
    kairos_handle_t connection = KAIROS_HANDLE_INVALID;
    const kairos_status_t status =
        kairos::internal::connect(names_handle().get(), service, deadline, &connection);
    if (status < 0) return kairos::failure(status);
    return kairos::Channel(connection);
}

}  // namespace common
