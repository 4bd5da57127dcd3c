/* Reading the files of the boot archive. A client calls (kairos_channel_call) with a request; the
 * reply begins with a status. Files never change, so one is named by its number, and a server that
 * comes back after a failure gives it the same number. A malformed request is answered by
 * -EINVAL. */
#ifndef KAIROS_PROTOCOLS_ARCHIVE_H
#define KAIROS_PROTOCOLS_ARCHIVE_H

#include <kairos/archive.h>
#include <kairos/kairos.h>

#define KAIROS_ARCHIVE_SERVICE "archive"
#define KAIROS_ARCHIVE_READ_MAX 4096u /* bytes of a file in one reply */

enum {
    /* The file called `name`. Reply: status (0, -ENOENT) and the file. */
    KAIROS_ARCHIVE_OPEN = 1,
    /* The file with the number `file`, to list them all: the first is 0. Reply: status (0,
     * -ENOENT past the last) and the file. */
    KAIROS_ARCHIVE_STAT,
    /* Up to `length` bytes (at most READ_MAX) of `file` from `offset`. Reply: status (how many,
     * 0 at the end and beyond; -ENOENT no such file) and that many bytes. */
    KAIROS_ARCHIVE_READ,
};

struct kairos_archive_request {
    uint32_t kind;
    uint32_t file;                      /* STAT, READ */
    uint64_t offset;                    /* READ */
    uint64_t length;                    /* READ */
    char name[KAIROS_ARCHIVE_NAME_MAX]; /* OPEN: ended by a zero */
};

struct kairos_archive_file {
    kairos_status_t status;
    uint32_t file;
    uint32_t reserved;
    uint64_t size; /* bytes */
    char name[KAIROS_ARCHIVE_NAME_MAX];
};

struct kairos_archive_data {
    kairos_status_t status;
    uint8_t bytes[KAIROS_ARCHIVE_READ_MAX]; /* a reply is only as long as needed */
};

#endif
