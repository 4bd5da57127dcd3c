// Asking the console; see the header.
#include "terminal.hpp"

#include <kairos/kairos.h>

#include <kairos/handle.hpp>

#include "../lib/connect.hpp"
#include "../protocols/boot.h"
#include "../protocols/console.h"

namespace kairos::internal {

bool leads_to_console(kairos_handle_t endpoint) {
    kairos_info_channel info;
    if (kairos_object_info(endpoint, KAIROS_INFO_CHANNEL, &info, sizeof(info)) < 0) return false;
    const kairos_handle_t names = kairos_bootstrap(KAIROS_BOOT_NAMES);
    kairos_handle_t raw;
    if (names == KAIROS_HANDLE_INVALID ||
        connect(names, KAIROS_CONSOLE_SERVICE, KAIROS_TIME_INFINITE, &raw) < 0) {
        return false;
    }
    const Handle session(raw);
    kairos_console_request request = {
        .kind = KAIROS_CONSOLE_IS_TERMINAL, .mode = 0, .input = info.peer_id};
    kairos_console_reply reply = {};
    const kairos_channel_msg out = {.bytes = &request,
                                    .handles = nullptr,
                                    .num_bytes = sizeof(request),
                                    .num_handles = 0,
                                    .txid = 0};
    kairos_channel_msg in = {.bytes = &reply,
                             .handles = nullptr,
                             .num_bytes = sizeof(reply),
                             .num_handles = 0,
                             .txid = 0};
    return kairos_channel_call(raw, &out, &in, KAIROS_TIME_INFINITE) >= 0 &&
           in.num_bytes == sizeof(reply) && reply.status == 0;
}

}  // namespace kairos::internal
