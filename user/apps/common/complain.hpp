// How programs say on stderr what went wrong.
#pragma once

#include <kairos/result.hpp>

#include <cstdio>

namespace common {

// "PROGRAM: WHAT: why", the reason being that of `error`. Returns 1, to be the exit code.
inline int complain(const char* program, const char* what, kairos::Error error) {
    std::fprintf(stderr, "%s: %s: %s\n", program, what, kairos::text_of(error));
    return 1;
}

inline int usage(const char* program, const char* arguments) {
    std::fprintf(stderr, "usage: %s %s\n", program, arguments);
    return 2;
}

}  // namespace common
