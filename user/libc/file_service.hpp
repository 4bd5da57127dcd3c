// Files by their paths: which server has them, and asking it (protocols/files.h).
//
//   /tmp/NAME    files in memory
//   /boot/NAME   files of the boot archive, and so does every other path; a leading slash and
//                "./" are passed over
//
// A program that was given no names handle reaches no server.
#pragma once

#include <kairos/handle.hpp>

#include <string_view>

#include "../protocols/files.h"

namespace kairos::internal {

struct FilePath {
    const char* service;
    std::string_view name;  // empty: the folder itself
};

FilePath resolve_path(std::string_view path);

// Asks the server of `path` for `kind`, with `flags`. The reply's status, or an error of reaching
// the server; -ENAMETOOLONG, -EISDIR when `path` is a folder. `opened`, of OPEN and OPEN_STREAM
// alone, is what came with the reply. BLOCKS until the server answers or ends.
kairos_status_t ask_about_file(std::string_view path, uint32_t kind, uint32_t flags,
                               kairos_files_reply& reply, Handle* opened = nullptr);

// Errors as ask_about_file; -EXDEV: the two are on different servers.
kairos_status_t rename_file(std::string_view from, std::string_view to);

// The file of `service` with the least number above `after`. -ENOENT: there are no more.
kairos_status_t list_file(const char* service, uint64_t after, kairos_files_reply& reply);

}  // namespace kairos::internal
