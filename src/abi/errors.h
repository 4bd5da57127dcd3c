/* The kernel's errors: name (without its E), number, and the sentence a person reads. The numbers
 * are those of the SDK's libc, asserted when the SDK is built; calls return them negated. */
#ifndef KAIROS_ABI_ERRORS_H
#define KAIROS_ABI_ERRORS_H

#define KAIROS_ERRORS(X)                                   \
    X(PERM, 1, "operation not permitted")                  \
    X(NOENT, 2, "no such thing")                           \
    X(SRCH, 3, "no such process or object")                \
    X(INTR, 4, "interrupted")                              \
    X(IO, 5, "input or output failed")                     \
    X(NOEXEC, 8, "not an executable")                      \
    X(BADF, 9, "not a valid handle or descriptor")         \
    X(AGAIN, 11, "would block")                            \
    X(NOMEM, 12, "out of memory")                          \
    X(ACCES, 13, "rights are missing")                     \
    X(FAULT, 14, "bad address")                            \
    X(BUSY, 16, "in use")                                  \
    X(EXIST, 17, "exists already")                         \
    X(INVAL, 22, "invalid argument")                       \
    X(MFILE, 24, "table is full")                          \
    X(PIPE, 32, "peer is closed")                          \
    X(NOSYS, 88, "no such system call")                    \
    X(TIMEDOUT, 116, "deadline passed")                    \
    X(MSGSIZE, 122, "message or buffer of the wrong size") \
    X(DQUOT, 132, "budget exhausted")                      \
    X(NOTSUP, 134, "not supported by this type of object") \
    X(CANCELED, 140, "canceled")

#endif
