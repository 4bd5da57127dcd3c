// The trace: what the kernel did lately, on each hart, as typed records (abi/trace.h has the table
// of events). Recording takes no lock and never waits; a kind that is off costs a load and a
// branch. Kinds are switched by set_trace_kinds; reading never stops the writer (trace/ring.h).
#pragma once

#include <cstdint>

#include "abi/trace.h"
#include "arch/hart.h"
#include "base/assert.h"
#include "base/types.h"
#include "sync/hart.h"
#include "trace/ring.h"

enum class TraceKind : uint8_t {
#define KAIROS_DEFINE_KIND(name, text) name,
    KAIROS_TRACE_KINDS(KAIROS_DEFINE_KIND)
#undef KAIROS_DEFINE_KIND
};

enum class TraceEvent : uint16_t {
#define KAIROS_DEFINE_EVENT(kind, name, v0, v1, v2, v3) name,
    KAIROS_TRACE_EVENTS(KAIROS_DEFINE_EVENT)
#undef KAIROS_DEFINE_EVENT
};

struct TraceEventInfo {
    TraceKind kind;
    const char* name;
    const char* values[4];
};
inline constexpr TraceEventInfo kTraceEvents[] = {
#define KAIROS_DESCRIBE_EVENT(kind, name, v0, v1, v2, v3) \
    {TraceKind::kind, #name, {v0, v1, v2, v3}},
    KAIROS_TRACE_EVENTS(KAIROS_DESCRIBE_EVENT)
#undef KAIROS_DESCRIBE_EVENT
};
extern const char* const kTraceKindNames[KAIROS_TRACE_KIND_COUNT];

// A debug kernel records everything from the beginning, a release what is rare.
inline constexpr uint32_t kTraceKindsAtBoot =
    kDebugBuild ? KAIROS_TRACE_ALL : 1u << KAIROS_TRACE_KIND_life;

constexpr TraceKind kind_of(TraceEvent event) {
    return kTraceEvents[static_cast<uint32_t>(event)].kind;
}

// Whether this hart records events of this kind now: a load and, in the caller, a branch.
template <TraceKind kKind>
inline bool tracing() {
    return arch::hart_flag<static_cast<uint32_t>(kKind)>();
}

// The third word of a record, but for the hart in its upper half: version, kind, event.
constexpr uint64_t header_of(TraceEvent event) {
    return uint64_t{KAIROS_TRACE_VERSION} | static_cast<uint64_t>(kind_of(event)) << 8 |
           static_cast<uint64_t>(event) << 16;
}

// Records one event, whatever its kind is switched to.
void record(uint64_t header, uint64_t v0, uint64_t v1, uint64_t v2, uint64_t v3);

// Records one event, if its kind is on. Interrupts are off.
template <TraceEvent kEvent>
inline void trace(uint64_t v0, uint64_t v1 = 0, uint64_t v2 = 0, uint64_t v3 = 0) {
    if (tracing<kind_of(kEvent)>()) [[unlikely]] {
        record(header_of(kEvent), v0, v1, v2, v3);
    }
}
// Gives a hart's ring its memory; boot only. Without it a hart records nothing.
void give_trace_memory(HartIndex hart, TraceRing::Slot* slots);

// Which kinds are recorded, as bits of 1 << kind.
uint32_t trace_kinds();
void set_trace_kinds(uint32_t kinds);

// The number of the next record of a hart, and the first that may still be there.
uint64_t trace_next(HartIndex hart);
uint64_t trace_oldest(HartIndex hart);
// Copies records of `hart` from number `from` on, past those that are overwritten; how many.
uint32_t read_trace(HartIndex hart, uint64_t from, kairos_trace_record* out, uint32_t max);

// The last records of all harts, in order of time; for panics, when every hart stands still.
void print_last_records();
