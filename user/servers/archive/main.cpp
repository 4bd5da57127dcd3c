// archive: the program. See archive_server.hpp and docs/servers.md.
#include <cstdio>

#include "protocols/boot.h"
#include "servers/archive/archive_server.hpp"

namespace {

kairos::Result<> serve() {
    const kairos::Memory memory(kairos::take_bootstrap(KAIROS_BOOT_ARCHIVE));
    const auto image = common::ArchiveImage::open(memory);
    if (!image) return std::unexpected(image.error());
    archive::ArchiveServer server(*image);
    return server.run(kairos::Channel(kairos::take_bootstrap(KAIROS_BOOT_LISTEN)));
}

}  // namespace

int main() {
    const auto served = serve();
    if (!served) std::fprintf(stderr, "archive: %s\n", kairos::text_of(served.error()));
    return 1;
}
