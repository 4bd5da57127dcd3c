// init: the first program. It has all the authority there is, gives each program of the manifest
// its part of it, and keeps them running (supervisor.hpp, docs/servers.md). When it ends, the
// machine stops.
#include <cstdio>

#include "apps/common/archive_image.hpp"
#include "servers/init/authority.hpp"
#include "servers/init/log.hpp"
#include "servers/init/manifest.hpp"
#include "servers/init/supervisor.hpp"

namespace {

constexpr const char* kManifestName = "manifest";

bool read_manifest(const common::ArchiveImage& archive, init::Manifest& manifest) {
    const uint32_t file = archive.find(kManifestName);
    if (file == archive.count()) {
        init::log("there is no file '%s' in the boot archive", kManifestName);
        return false;
    }
    const init::ManifestProblem problem = manifest.parse(archive.contents(file));
    if (problem.line == 0) return true;
    init::log("%s:%zu: %s %.*s", kManifestName, problem.line, problem.message,
              static_cast<int>(problem.culprit.size()), problem.culprit.data());
    return false;
}

// The exit code, or what kept the system from being started.
kairos::Result<int> run() {
    kairos::Memory memory(kairos::take_bootstrap(KAIROS_BOOT_ARCHIVE));
    const auto archive = common::ArchiveImage::open(memory);
    if (!archive) return std::unexpected(archive.error());
    init::Manifest manifest;
    if (!read_manifest(*archive, manifest)) return 1;

    auto authority = init::AuthorityCutter::create(
        kairos::Resource(kairos::take_bootstrap(KAIROS_BOOT_RESOURCE)), std::move(memory));
    if (!authority) return std::unexpected(authority.error());
    auto port = kairos::Port::create();
    if (!port) return std::unexpected(port.error());
    init::Supervisor supervisor(*authority, std::move(*port));
    const auto prepared = supervisor.prepare(manifest);
    if (!prepared) return std::unexpected(prepared.error());
    return supervisor.run();
}

}  // namespace

int main() {
    const auto code = run();
    if (code) return *code;
    init::log("the system cannot be started: %s", kairos::text_of(code.error()));
    return 1;
}
