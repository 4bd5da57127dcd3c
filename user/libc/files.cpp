// Names of files, of which a program has none: the boot archive is reached through its handle or
// its server, not through these.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

int fail(int error) {
    errno = error;
    return -1;
}

}  // namespace

extern "C" {

int open(const char*, int, ...) { return fail(ENOENT); }
int stat(const char*, struct stat*) { return fail(ENOENT); }
int lstat(const char*, struct stat*) { return fail(ENOENT); }
int access(const char*, int) { return fail(ENOENT); }
int unlink(const char*) { return fail(ENOENT); }
int link(const char*, const char*) { return fail(ENOENT); }
int rename(const char*, const char*) { return fail(ENOENT); }
int mkdir(const char*, mode_t) { return fail(EROFS); }
int rmdir(const char*) { return fail(ENOENT); }

}  // extern "C"
