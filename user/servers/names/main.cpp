// names: the program. See name_server.hpp and docs/servers.md.
#include <cstdio>

#include "protocols/boot.h"
#include "servers/names/name_server.hpp"

int main() {
    names::NameServer server;
    const auto served = server.run(kairos::Channel(kairos::take_bootstrap(KAIROS_BOOT_REGISTRY)));
    if (!served) std::fprintf(stderr, "names: %s\n", kairos::text_of(served.error()));
    return 1;
}
