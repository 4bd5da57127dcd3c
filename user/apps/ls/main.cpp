// ls [FOLDER]: lists the files of the boot archive, or those in one folder, with their sizes in
// bytes.
#include <cinttypes>
#include <cstdio>
#include <string_view>

#include "apps/common/archive_client.hpp"
#include "apps/common/complain.hpp"

namespace {

// Whether `name` lies in `folder`, given with or without its slash; the empty folder has all.
bool is_in(std::string_view folder, std::string_view name) {
    if (folder.ends_with('/')) folder.remove_suffix(1);
    if (folder.empty() || name == folder) return true;
    return name.starts_with(folder) && name[folder.size()] == '/';
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 2) return common::usage("ls", "[FOLDER]");
    const char* folder = argc > 1 ? argv[1] : "";
    const auto archive = common::ArchiveClient::connect();
    if (!archive) return common::complain("ls", "archive server", archive.error());

    bool found = false;
    uint32_t number = 0;
    auto file = archive->stat(number);
    for (; file; file = archive->stat(++number)) {
        if (!is_in(folder, file->name)) continue;
        std::printf("%10" PRIu64 "  %s\n", file->size, file->name);
        found = true;
    }
    const bool at_end = file.error() == kairos::Error::NOENT;
    if (!at_end) return common::complain("ls", "archive server", file.error());
    return found ? 0 : common::complain("ls", folder, file.error());
}
