// Event counters, per hart: counting touches a word of this hart's own. The table is in
// abi/counters.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "abi/counters.h"
#include "sync/hart.h"

enum class Counter : uint32_t {
#define KAIROS_DEFINE_COUNTER(name, text) name,
    KAIROS_COUNTERS(KAIROS_DEFINE_COUNTER)
#undef KAIROS_DEFINE_COUNTER
        kCount,
};
inline constexpr uint32_t kCounterCount = static_cast<uint32_t>(Counter::kCount);

extern const char* const kCounterNames[kCounterCount];
extern const char* const kCounterTexts[kCounterCount];  // what each counts

struct HartCounters {
    std::atomic<uint64_t> values[kCounterCount];
};
extern PerHart<HartCounters> hart_counters;

// Interrupts are off, so nobody else writes this hart's word.
inline void count(Counter counter, uint64_t more = 1) {
    auto& value = hart_counters.local().values[static_cast<uint32_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

uint64_t counter_of(Counter counter, HartIndex hart);
uint64_t counter_total(Counter counter);
