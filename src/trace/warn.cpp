#include "trace/warn.h"

#include <cstdarg>

#include "arch/time.h"
#include "trace/counters.h"
#include "trace/log.h"

void warn(RateLimit& limit, const char* text, ...) {
    count(Counter::warnings);
    uint32_t suppressed = 0;
    if (!limit.allows(arch::now(), &suppressed)) return;
    va_list arguments;
    va_start(arguments, text);
    log_warning(text, arguments, suppressed);
    va_end(arguments);
}
