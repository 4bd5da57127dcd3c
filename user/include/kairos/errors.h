/* Errors as text. KAIROS_ERRORS(X), from the contract, lists what the kernel's calls return:
 * X(name without its E, number, sentence). */
#ifndef KAIROS_ERRORS_H
#define KAIROS_ERRORS_H

#include <kairos/abi/errors.h>
#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* The name of a status that a kairos_* call returned: "EPIPE" for -EPIPE; "OK" for zero and above;
 * "E?" for an error that no call returns. Never null; static. */
const char* kairos_status_name(kairos_status_t status);

/* The same as a short sentence in lower case: "peer is closed". */
const char* kairos_status_text(kairos_status_t status);

KAIROS_END_DECLARATIONS

#endif
