// opendir and its relatives: a folder is a server's list of files.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstring>

#include "file_service.hpp"

using namespace kairos::internal;

struct kairos_dir {
    const char* service;
    uint64_t last;
    struct dirent entry;
};

static_assert(sizeof(dirent::d_name) == KAIROS_FILE_NAME_MAX);

extern "C" {

DIR* opendir(const char* path) {
    struct stat found;
    if (stat(path, &found) < 0) return nullptr;
    if (!S_ISDIR(found.st_mode)) {
        errno = ENOTDIR;
        return nullptr;
    }
    DIR* folder = static_cast<DIR*>(calloc(1, sizeof(DIR)));
    if (folder != nullptr) folder->service = resolve_path(path).service;
    return folder;
}

struct dirent* readdir(DIR* folder) {
    kairos_files_reply reply;
    const kairos_status_t status = list_file(folder->service, folder->last, reply);
    if (status < 0) {
        if (status != -ENOENT) errno = static_cast<int>(-status);
        return nullptr;
    }
    folder->last = reply.number;
    folder->entry.d_ino = static_cast<ino_t>(reply.number);
    std::memcpy(folder->entry.d_name, reply.name, sizeof(reply.name));
    return &folder->entry;
}

void rewinddir(DIR* folder) { folder->last = 0; }

int closedir(DIR* folder) {
    free(folder);
    return 0;
}

}  // extern "C"
