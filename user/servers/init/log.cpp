// init's log; see the header.
#include "servers/init/log.hpp"

#include <kairos/kairos.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace init {

void log(const char* format, ...) {
    char line[256];
    const int prefix = std::snprintf(line, sizeof(line), "init: ");
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line + prefix, sizeof(line) - prefix, format, arguments);
    va_end(arguments);
    const size_t length = std::min(std::strlen(line), sizeof(line) - 2);
    line[length] = '\n';
    kairos_debug_write(line, length + 1);
}

}  // namespace init
