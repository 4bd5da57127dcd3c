/* What the other headers of this folder have in common: the shared vocabulary, and the few words
 * that C and C++ spell differently. */
#ifndef KAIROS_BASE_H
#define KAIROS_BASE_H

#include <kairos/abi/types.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define KAIROS_BEGIN_DECLARATIONS extern "C" {
#define KAIROS_END_DECLARATIONS }
#define KAIROS_NORETURN [[noreturn]]
#else
#define KAIROS_BEGIN_DECLARATIONS
#define KAIROS_END_DECLARATIONS
#define KAIROS_NORETURN _Noreturn
#endif

#endif
