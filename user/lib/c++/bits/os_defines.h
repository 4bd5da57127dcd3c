// Part of the C++ library's configuration: the operating system. In front of the one for Linux that
// comes with the compiler.
#ifndef KAIROS_CXX_OS_DEFINES_H
#define KAIROS_CXX_OS_DEFINES_H

// Threads are there from the beginning, without asking weak symbols.
#define _GLIBCXX_GTHREAD_USE_WEAK 0

#endif
