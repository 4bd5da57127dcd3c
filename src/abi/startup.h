/* How a program starts. Its first thread enters with a0 = a channel endpoint and a1 = 0. In that
 * channel wait the startup messages: the first has a struct kairos_startup, then `handle_count`
 * numbers (uint32_t, the KAIROS_BOOT_* place of each handle), then `argc` strings, each ended by
 * a zero byte. Handles travel in that order, eight to a message; every message after the first
 * carries handles only. The kernel writes them for the first program, the SDK's spawn for all
 * others; the SDK's start code reads them and closes the endpoint. */
#ifndef KAIROS_ABI_STARTUP_H
#define KAIROS_ABI_STARTUP_H

#include "types.h"

#define KAIROS_BOOT_SELF_PROCESS 6u
#define KAIROS_BOOT_SELF_ASPACE 7u
#define KAIROS_BOOT_SELF_THREAD 8u
#define KAIROS_BOOT_SELF_IMAGE 9u /* a MEMORY that holds this program's ELF file */

#define KAIROS_STARTUP_MAGIC 0x6f72696bu /* 'kiro' */

struct kairos_startup {
    uint32_t magic;
    uint32_t argc;
    uint32_t handle_count;
    uint32_t string_bytes; /* of all the strings, their zeros included */
    uint64_t image_offset; /* where in SELF_IMAGE the ELF file lies */
    uint64_t image_size;
    uint64_t stack_base; /* the first thread's stack, lowest address */
    uint64_t stack_size;
};

#endif
