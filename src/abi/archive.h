/* The boot archive: a read-only set of named files, laid out so that programs can be mapped
 * straight from it. A header, then `count` entries sorted by name (byte order), then the files,
 * each beginning on a page. All numbers little-endian. Written by test/support/archive.py; read
 * by the kernel (for the first program), by the SDK (spawn) and by the archive server. */
#ifndef KAIROS_ABI_ARCHIVE_H
#define KAIROS_ABI_ARCHIVE_H

#include <stdint.h>

#define KAIROS_ARCHIVE_MAGIC 0x3176686372616b01ull
#define KAIROS_ARCHIVE_NAME_MAX 48u /* bytes, the ending zero included */

struct kairos_archive_header {
    uint64_t magic;
    uint32_t count;
    uint32_t reserved;
    uint64_t size; /* of the whole archive in bytes, a multiple of the page size */
};

struct kairos_archive_entry {
    char name[KAIROS_ARCHIVE_NAME_MAX]; /* no leading slash; '/' separates folders */
    uint64_t offset;                    /* from the header, a multiple of the page size */
    uint64_t size;                      /* bytes */
};

#endif
