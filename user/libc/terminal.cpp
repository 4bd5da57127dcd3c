// Asking the console; see the header.
#include "terminal.hpp"

#include <kairos/kairos.h>

#include <kairos/handle.hpp>

#include "../lib/connect.hpp"
#include "../protocols/boot.h"
#include "../protocols/console.h"
#include "ask.hpp"

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
    const kairos_console_request request = {
        .kind = KAIROS_CONSOLE_IS_TERMINAL, .mode = 0, .input = info.peer_id};
    kairos_console_reply reply = {};
    return ask(raw, request, reply) == 0 && reply.status == 0;
}

}  // namespace kairos::internal
