// Files by their names, as POSIX has them. Which paths lead where: file_service.hpp. A program that
// was given no names handle reads the archive that it was given, and has no other files.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kairos/handle.hpp>
#include <new>

#include "../protocols/boot.h"
#include "file_service.hpp"
#include "open_files.hpp"

using namespace kairos::internal;

namespace {

int report(kairos_status_t status) {
    if (status >= 0) return static_cast<int>(status);
    errno = static_cast<int>(-status);
    return -1;
}

bool has_names() { return kairos_bootstrap(KAIROS_BOOT_NAMES) != KAIROS_HANDLE_INVALID; }

// Of /tmp, which would not be found in the archive either, nothing is looked for there.
kairos_status_t find_in_own_archive(const char* path, FileView& view) {
    const FilePath place = resolve_path(path);
    if (place.name.empty()) return *path == 0 ? -ENOENT : -EISDIR;
    if (place.service != FilePath(resolve_path("/boot")).service) return -ENOENT;
    const kairos_status_t status =
        find_in_archive(kairos_bootstrap(KAIROS_BOOT_ARCHIVE), place.name.data(), view);
    return status == -ENOEXEC ? -EIO : status;
}

kairos_status_t open_own(const char* path, int flags) {
    FileView view;
    const kairos_status_t status = find_in_own_archive(path, view);
    if (status < 0) return status;
    if ((flags & O_ACCMODE) != O_RDONLY) return -EROFS;
    OpenFile* file = new (std::nothrow) OpenFile(view);
    if (file == nullptr) return -ENOMEM;
    const kairos_status_t fd = add_open_file(file, flags & O_CLOEXEC);
    if (fd < 0) delete file;
    return fd;
}

// O_TRUNC without writing is as if it were not there.
uint32_t protocol_flags(int flags) {
    const int access = flags & O_ACCMODE;
    if (access == O_RDONLY) return KAIROS_FILES_READ;
    uint32_t result = KAIROS_FILES_WRITE;
    if (access == O_RDWR) result |= KAIROS_FILES_READ;
    if ((flags & O_CREAT) != 0) {
        result |= KAIROS_FILES_CREATE;
        if ((flags & O_EXCL) != 0) result |= KAIROS_FILES_EXCLUSIVE;
    }
    if ((flags & O_TRUNC) != 0) result |= KAIROS_FILES_TRUNCATE;
    if ((flags & O_APPEND) != 0) result |= KAIROS_FILES_APPEND;
    return result;
}

// Opening for reading makes a file too, if it is told to.
kairos_status_t create(const char* path, int flags) {
    kairos_files_reply reply;
    uint32_t wanted = KAIROS_FILES_WRITE | KAIROS_FILES_CREATE;
    if ((flags & O_EXCL) != 0) wanted |= KAIROS_FILES_EXCLUSIVE;
    kairos::Handle made;
    const kairos_status_t status = ask_about_file(path, KAIROS_FILES_OPEN, wanted, reply, &made);
    return status == -EROFS && (flags & O_EXCL) == 0 ? 0 : status;
}

kairos_status_t open_file(const char* path, int flags) {
    if (path == nullptr) return -EFAULT;
    if ((flags & O_ACCMODE) == O_ACCMODE) return -EINVAL;
    if (!has_names()) return open_own(path, flags);
    if ((flags & O_ACCMODE) == O_RDONLY && (flags & O_CREAT) != 0) {
        const kairos_status_t status = create(path, flags);
        if (status < 0) return status;
    }
    kairos_files_reply reply;
    kairos::Handle channel;
    const kairos_status_t status =
        ask_about_file(path, KAIROS_FILES_OPEN, protocol_flags(flags), reply, &channel);
    if (status < 0) return status;
    OpenFile* file =
        new (std::nothrow) OpenFile(std::move(channel), flags & (O_ACCMODE | O_APPEND));
    if (file == nullptr) return -ENOMEM;
    const kairos_status_t fd = add_open_file(file, flags & O_CLOEXEC);
    if (fd < 0) delete file;
    return fd;
}

kairos_status_t stat_file(const char* path, struct stat* out) {
    if (path == nullptr || *path == 0) return -ENOENT;
    const FilePath place = resolve_path(path);
    *out = {};
    out->st_nlink = 1;
    if (place.name.empty()) {
        out->st_mode = S_IFDIR | S_IRUSR | S_IXUSR;
        return 0;
    }
    const bool is_tmp = place.service != resolve_path("/boot").service;
    out->st_mode = S_IFREG | S_IRUSR | (is_tmp ? S_IWUSR : 0);
    out->st_blksize = KAIROS_FILE_DATA_MAX;
    if (!has_names()) {
        FileView view;
        const kairos_status_t status = find_in_own_archive(path, view);
        out->st_size = static_cast<off_t>(view.size);
        return status;
    }
    kairos_files_reply reply;
    const kairos_status_t status = ask_about_file(path, KAIROS_FILES_STAT, 0, reply);
    if (status < 0) return status;
    out->st_ino = static_cast<ino_t>(reply.number);
    out->st_size = static_cast<off_t>(reply.size);
    return 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) { return report(open_file(path, flags)); }

int creat(const char* path, mode_t) {
    return report(open_file(path, O_WRONLY | O_CREAT | O_TRUNC));
}

int stat(const char* path, struct stat* out) { return report(stat_file(path, out)); }
int lstat(const char* path, struct stat* out) { return report(stat_file(path, out)); }

int access(const char* path, int mode) {
    struct stat found;
    const kairos_status_t status = stat_file(path, &found);
    if (status < 0) return report(status);
    const bool refused = ((mode & W_OK) != 0 && (found.st_mode & S_IWUSR) == 0) ||
                         ((mode & X_OK) != 0 && (found.st_mode & S_IXUSR) == 0);
    return refused ? report(-EACCES) : 0;
}

int unlink(const char* path) {
    kairos_files_reply reply;
    return report(ask_about_file(path, KAIROS_FILES_REMOVE, 0, reply));
}

int rename(const char* from, const char* to) { return report(rename_file(from, to)); }

int ftruncate(int fd, off_t length) {
    const OpenFileReference file = find_open_file(fd);
    return report(file ? file->truncate(length) : -EINVAL);
}

int truncate(const char* path, off_t length) {
    const int fd = open(path, O_WRONLY);
    if (fd < 0) return -1;
    const int result = ftruncate(fd, length);
    const int error = errno;
    close(fd);
    if (result < 0) errno = error;
    return result;
}

// There is nothing behind a file's server that could be slower.
int fsync(int) { return 0; }

// A file without a name, which goes when it is closed.
FILE* tmpfile() {
    char path[64];
    int fd = -1;
    for (unsigned number = 0; fd < 0; ++number) {
        snprintf(path, sizeof(path), "/tmp/tmpfile.%ld.%u", static_cast<long>(getpid()), number);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL);
        if (fd < 0 && errno != EEXIST) return nullptr;
    }
    unlink(path);
    FILE* file = fdopen(fd, "w+");
    if (file == nullptr) close(fd);
    return file;
}

int link(const char*, const char*) { return report(-EPERM); }
int mkdir(const char*, mode_t) { return report(-EROFS); }
int rmdir(const char*) { return report(-ENOENT); }

}  // extern "C"
