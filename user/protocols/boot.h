/* The handles that the project's own programs find beyond the contract's places (PARENT, RESOURCE,
 * ARCHIVE, STDIN ...). init and the shell give them; a program that was not given one reads
 * KAIROS_HANDLE_INVALID there. */
#ifndef KAIROS_PROTOCOLS_BOOT_H
#define KAIROS_PROTOCOLS_BOOT_H

#include <kairos/kairos.h>

enum {
    /* Every client: where to ask for a service (protocols/names.h). Send-only. */
    KAIROS_BOOT_NAMES = KAIROS_BOOT_USER0,
    /* A server: where its clients' connections arrive (protocols/connection.h). */
    KAIROS_BOOT_LISTEN,
    /* The name server: where init manages it (protocols/names.h). */
    KAIROS_BOOT_REGISTRY,
    /* The console: RESOURCEs for the UART's registers and for its interrupt line. */
    KAIROS_BOOT_UART_MMIO,
    KAIROS_BOOT_UART_INTERRUPT,
};

#endif
