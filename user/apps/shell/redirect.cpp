// Files as streams; see the header.
#include "apps/shell/redirect.hpp"

#include "libc/file_service.hpp"

namespace shell {

namespace {

uint32_t flags_of(FileUse use) {
    if (use == FileUse::Read) return KAIROS_FILES_READ;
    const uint32_t flags = KAIROS_FILES_WRITE | KAIROS_FILES_CREATE;
    return use == FileUse::Replace ? flags | KAIROS_FILES_TRUNCATE : flags;
}

}  // namespace

kairos::Result<kairos::Handle> open_file(const char* name, FileUse use) {
    kairos_files_reply reply;
    kairos::Handle stream;
    const kairos_status_t status = kairos::internal::ask_about_file(name, KAIROS_FILES_OPEN_STREAM,
                                                                    flags_of(use), reply, &stream);
    if (status < 0) return kairos::failure(status);
    return stream;
}

}  // namespace shell
