// Files inside memory objects; see the header.
#include "file_view.hpp"

#include <errno.h>
#include <kairos/archive.h>
#include <kairos/kairos.h>

#include <cstring>

namespace kairos::internal {

namespace {

kairos_status_t read_entry(kairos_handle_t archive, uint32_t index, kairos_archive_entry& entry) {
    const uint64_t offset = sizeof(kairos_archive_header) + uint64_t{index} * sizeof(entry);
    return kairos_memory_read(archive, offset, &entry, sizeof(entry));
}

kairos_status_t check(const kairos_archive_entry& entry, const kairos_archive_header& header) {
    const bool is_inside = entry.offset <= header.size && entry.size <= header.size - entry.offset;
    return is_inside && entry.offset % KAIROS_PAGE_SIZE == 0 ? 0 : -ENOEXEC;
}

}  // namespace

kairos_status_t FileView::read(uint64_t from, void* to, size_t length) const {
    return kairos_memory_read(memory, offset + from, to, length);
}

// The names are sorted; in an archive where they are not, a file may go unfound.
kairos_status_t find_in_archive(kairos_handle_t archive, const char* path, FileView& file) {
    if (archive == KAIROS_HANDLE_INVALID) return -ENOENT;
    if (*path == '/') ++path;
    kairos_archive_header header;
    kairos_status_t status = kairos_memory_read(archive, 0, &header, sizeof(header));
    if (status < 0) return status == -EINVAL ? -ENOENT : status;
    if (header.magic != KAIROS_ARCHIVE_MAGIC) return -ENOENT;

    uint32_t begin = 0;
    uint32_t end = header.count;
    while (begin < end) {
        const uint32_t middle = begin + (end - begin) / 2;
        kairos_archive_entry entry;
        status = read_entry(archive, middle, entry);
        if (status < 0) return status == -EINVAL ? -ENOENT : status;
        const int order = std::strncmp(path, entry.name, sizeof(entry.name));
        if (order == 0) {
            file = {archive, entry.offset, entry.size};
            return check(entry, header);
        }
        (order < 0 ? end : begin) = order < 0 ? middle : middle + 1;
    }
    return -ENOENT;
}

}  // namespace kairos::internal
