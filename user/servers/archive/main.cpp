// archive: the program. The files of the boot archive (protocols/files.h). See docs/servers.md.
#include <cstdio>
#include <memory>

#include "protocols/boot.h"
#include "servers/archive/archive_volume.hpp"
#include "servers/common/file_server.hpp"

namespace {

kairos::Result<> serve() {
    const kairos::Memory memory(kairos::take_bootstrap(KAIROS_BOOT_ARCHIVE));
    const auto image = common::ArchiveImage::open(memory);
    if (!image) return std::unexpected(image.error());
    archive::ArchiveVolume volume(*image);
    const auto server = std::make_unique<files::FileServer>(volume);  // large for a stack
    return server->run(kairos::Channel(kairos::take_bootstrap(KAIROS_BOOT_LISTEN)));
}

}  // namespace

int main() {
    const auto served = serve();
    if (!served) std::fprintf(stderr, "archive: %s\n", kairos::text_of(served.error()));
    return 1;
}
