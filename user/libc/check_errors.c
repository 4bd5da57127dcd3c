/* The kernel's errors are those of this libc, name by name and number by number. */
#include <errno.h>
#include <kairos/abi/errors.h>

#define SAME(name, number, text) \
    _Static_assert(E##name == (number), "abi/errors.h and <errno.h> differ: E" #name);
KAIROS_ERRORS(SAME)
#undef SAME
