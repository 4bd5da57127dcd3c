/* The folders that there are: /tmp and /boot (which the others mean as well). They have no folders
 * in them. Files that come or go while a folder is read may be found or not. */
#ifndef KAIROS_DIRENT_H
#define KAIROS_DIRENT_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dirent {
    ino_t d_ino;
    char d_name[48]; /* as long as a name may be, with its zero */
};

typedef struct kairos_dir DIR;

/* Null, with errno: ENOENT, ENOTDIR, ENOMEM. */
DIR* opendir(const char* path);
/* The next file, good until the next call on the same folder; null at the end, or with errno. */
struct dirent* readdir(DIR* folder);
void rewinddir(DIR* folder);
int closedir(DIR* folder);

#ifdef __cplusplus
}
#endif

#endif
