/* ls [FOLDER|FILE...]: lists files with their sizes in bytes; those of the boot archive if nothing
 * is asked for. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int complain(const char* what) {
    fprintf(stderr, "ls: %s: %s\n", what, strerror(errno));
    return 1;
}

static void print(long long size, const char* name) { printf("%10lld  %s\n", size, name); }

/* A file that has gone since it was found is not there. */
static int list_folder(const char* path) {
    DIR* folder = opendir(path);
    if (folder == NULL) return complain(path);
    errno = 0;
    const struct dirent* entry;
    while ((entry = readdir(folder)) != NULL) {
        char name[256];
        struct stat found;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (stat(name, &found) == 0) print((long long)found.st_size, entry->d_name);
        errno = 0;
    }
    const int result = errno == 0 ? 0 : complain(path);
    closedir(folder);
    return result;
}

static int list(const char* path) {
    struct stat found;
    if (stat(path, &found) < 0) return complain(path);
    if (S_ISDIR(found.st_mode)) return list_folder(path);
    print((long long)found.st_size, path);
    return 0;
}

int main(int argc, char** argv) {
    if (argc == 1) return list("/boot");
    int result = 0;
    for (int i = 1; i < argc; ++i) result |= list(argv[i]);
    return result;
}
