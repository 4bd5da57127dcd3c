// The C++ library's configuration, which was made for another libc, put right for this one.
#ifndef KAIROS_CXX_CONFIG_H
#define KAIROS_CXX_CONFIG_H

#include_next <bits/c++config.h>

// Linux's system calls.
#undef _GLIBCXX_HAVE_LINUX_FUTEX
#undef _GLIBCXX_USE_CLOCK_GETTIME_SYSCALL

// What POSIX threads have and bits/gthr-default.h has not.
#undef _GLIBCXX_USE_PTHREAD_COND_CLOCKWAIT
#undef _GLIBCXX_USE_PTHREAD_MUTEX_CLOCKLOCK
#undef _GLIBCXX_USE_PTHREAD_RWLOCK_T
#undef _GLIBCXX_HAVE_POSIX_SEMAPHORE

// Functions that this libc has not, or not for long double.
#undef _GLIBCXX_HAVE_AT_QUICK_EXIT
#undef _GLIBCXX_HAVE_QUICK_EXIT
#undef _GLIBCXX_HAVE_TIMESPEC_GET
#undef _GLIBCXX_HAVE_USELOCALE
#undef _GLIBCXX_USE_C99_INTTYPES_WCHAR_T_TR1

#endif
