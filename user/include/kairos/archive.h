/* The format of the boot archive, which the handle KAIROS_BOOT_ARCHIVE holds. */
#ifndef KAIROS_ARCHIVE_H
#define KAIROS_ARCHIVE_H

#include <kairos/abi/archive.h>

#endif
