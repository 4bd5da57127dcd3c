// Connecting to services; see the header.
#include "connect.hpp"

#include <errno.h>

#include <cstring>
#include <kairos/channel.hpp>

#include "../protocols/names.h"

namespace kairos::internal {

namespace {

kairos_status_t ask(kairos_handle_t names, const kairos_names_request& request,
                    kairos_time_t deadline, Handle& end) {
    kairos_handle_t moved = end.get();
    const kairos_channel_msg message = {.bytes = const_cast<kairos_names_request*>(&request),
                                        .handles = &moved,
                                        .num_bytes = sizeof(request),
                                        .num_handles = 1,
                                        .txid = 0};
    const kairos_status_t sent = kairos_channel_send(names, &message, 0, deadline);
    if (sent >= 0) static_cast<void>(end.release());
    return sent;
}

kairos_status_t receive_welcome(const Channel& connection, kairos_time_t deadline) {
    MessageBuffer<sizeof(kairos_welcome)> message;
    const auto received = connection.receive(message, deadline);
    if (!received) return to_status(received.error());
    const auto welcome = message.as<kairos_welcome>();
    return *received && welcome ? welcome->status : -EPIPE;
}

}  // namespace

kairos_status_t connect(kairos_handle_t names, std::string_view service, kairos_time_t deadline,
                        kairos_handle_t* connection) {
    kairos_names_request request = {};
    request.kind = KAIROS_NAMES_CONNECT;
    if (service.size() >= sizeof(request.name)) return -EINVAL;
    std::memcpy(request.name, service.data(), service.size());
    auto ends = Channel::create();
    if (!ends) return to_status(ends.error());
    kairos_status_t status = ask(names, request, deadline, ends->second);
    if (status >= 0) status = receive_welcome(ends->first, deadline);
    if (status < 0) return status;
    *connection = ends->first.release();
    return 0;
}

}  // namespace kairos::internal
