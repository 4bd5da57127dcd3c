// Starting programs; see the header.
#include "apps/shell/launcher.hpp"

#include <kairos/archive.h>

#include <cstdio>

#include "apps/common/connect.hpp"
#include "apps/common/gifts.hpp"
#include "apps/shell/commands.hpp"
#include "protocols/boot.h"

namespace shell {

namespace {

bool is_entitled_to_system(const char* program) {
    const Command* command = find_command(program);
    return command != nullptr && command->why_system != nullptr;
}

}  // namespace

const kairos::Handle& system_resource() {
    static const kairos::Handle resource = kairos::take_bootstrap(KAIROS_BOOT_RESOURCE);
    return resource;
}

kairos::Result<kairos::Process> launch(char* const arguments[], const Streams& streams) {
    const char* program = arguments[0];
    char path[1 + KAIROS_ARCHIVE_NAME_MAX];
    // The slash is passed over; without it, "self" would be this shell.
    const int length = std::snprintf(path, sizeof(path), "/%s", program);
    if (static_cast<size_t>(length) >= sizeof(path)) return std::unexpected(kairos::Error::NOENT);

    common::Gifts gifts;
    gifts.add_duplicate(KAIROS_BOOT_STDIN, streams.input);
    gifts.add_duplicate(KAIROS_BOOT_STDOUT, streams.output);
    gifts.add_duplicate(KAIROS_BOOT_STDERR, streams.error);
    gifts.add_duplicate(KAIROS_BOOT_NAMES, common::names_handle());
    if (is_entitled_to_system(program)) {
        gifts.add_duplicate(KAIROS_BOOT_RESOURCE, system_resource());
    }
    return gifts.spawn(path, arguments);
}

}  // namespace shell
