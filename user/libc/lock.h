/* The locks that libc itself takes (sys/lock.h): all recursive, whatever is asked for. */
#ifndef KAIROS_LIBC_LOCK_H
#define KAIROS_LIBC_LOCK_H

#include <kairos/sync.h>

struct __lock {
    struct kairos_recursive_mutex mutex;
};

#endif
