// A file inside a memory object: of the boot archive, or this program's own. Nothing in it is
// trusted.
#pragma once

#include <kairos/base.h>

namespace kairos::internal {

struct FileView {
    kairos_handle_t memory = KAIROS_HANDLE_INVALID;  // borrowed
    uint64_t offset = 0;                             // where the file begins
    uint64_t size = 0;

    bool contains(uint64_t from, uint64_t length) const {
        return from <= size && length <= size - from;
    }
    // Reads what contains() allows. Errors as kairos_memory_read; -EINVAL: the file reaches beyond
    // its memory.
    kairos_status_t read(uint64_t from, void* to, size_t length) const;
};

// Finds the file called `path` in the archive; a leading slash is passed over. -ENOENT: it has no
// such file, or is no archive; -ENOEXEC: the file does not lie inside the archive; errors as
// kairos_memory_read.
kairos_status_t find_in_archive(kairos_handle_t archive, const char* path, FileView& file);

}  // namespace kairos::internal
