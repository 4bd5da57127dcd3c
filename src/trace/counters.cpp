#include "trace/counters.h"

constinit PerHart<HartCounters> hart_counters;

#define KAIROS_COUNTER_NAME(name, text) #name,
const char* const kCounterNames[kCounterCount] = {KAIROS_COUNTERS(KAIROS_COUNTER_NAME)};
#undef KAIROS_COUNTER_NAME
#define KAIROS_COUNTER_TEXT(name, text) text,
const char* const kCounterTexts[kCounterCount] = {KAIROS_COUNTERS(KAIROS_COUNTER_TEXT)};
#undef KAIROS_COUNTER_TEXT

uint64_t counter_of(Counter counter, HartIndex hart) {
    const auto& values = hart_counters.at(hart).values;
    return values[static_cast<uint32_t>(counter)].load(std::memory_order_relaxed);
}

uint64_t counter_total(Counter counter) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < Harts::count(); ++i) total += counter_of(counter, {i});
    return total;
}
