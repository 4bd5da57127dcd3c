// tmp: the program. Files in memory (protocols/files.h). See docs/servers.md.
#include <cstdio>
#include <memory>

#include "protocols/boot.h"
#include "servers/common/file_server.hpp"
#include "servers/tmp/memory_volume.hpp"

namespace {

constexpr size_t kFilesMax = 256;
constexpr size_t kBytesMax = 16 << 20;

}  // namespace

int main() {
    tmp::MemoryVolume volume(kFilesMax, kBytesMax);
    const auto server = std::make_unique<files::FileServer>(volume);  // large for a stack
    const auto served = server->run(kairos::Channel(kairos::take_bootstrap(KAIROS_BOOT_LISTEN)));
    if (!served) std::fprintf(stderr, "tmp: %s\n", kairos::text_of(served.error()));
    return 1;
}
