// The trace: per hart, a ring of the last events in the kernel, as typed records of one size.
// Recording takes no lock and never waits; switched off, it costs a load and a branch.
#pragma once

#include <atomic>
#include <cstdint>

#include "arch/time.h"
#include "sync/hart.h"

// What happened; the two values of a record are explained by its event.
#define KAIROS_TRACE_EVENTS(X)                       \
    X(none, "", "")                                  \
    X(thread_switch, "from thread", "to thread")     \
    X(thread_start, "thread", "process")             \
    X(thread_end, "thread", "process")               \
    X(process_end, "process", "exit code")           \
    X(endpoint_close, "endpoint", "messages queued") \
    X(user_fault, "pc", "address")

enum class TraceEvent : uint32_t {
#define KAIROS_DEFINE_EVENT(name, first, second) name,
    KAIROS_TRACE_EVENTS(KAIROS_DEFINE_EVENT)
#undef KAIROS_DEFINE_EVENT
};

struct TraceRecord {
    uint64_t time_ns;
    TraceEvent event;
    uint32_t hart;
    uint64_t first;
    uint64_t second;
};

inline constexpr uint32_t kTraceRecords = 128;  // per hart; a power of two

struct TraceRing {
    std::atomic<uint64_t> written{0};  // ever; the next goes to written % kTraceRecords
    TraceRecord records[kTraceRecords];
};
extern PerHart<TraceRing> trace_rings;
extern std::atomic<bool> trace_on;

// Interrupts are off, so this hart alone writes its ring.
inline void trace(TraceEvent event, uint64_t first, uint64_t second) {
    if (!trace_on.load(std::memory_order_relaxed)) return;
    TraceRing& ring = trace_rings.local();
    const uint64_t at = ring.written.load(std::memory_order_relaxed);
    ring.records[at % kTraceRecords] = {arch::now().nanoseconds, event, this_hart().index.value,
                                        first, second};
    ring.written.store(at + 1, std::memory_order_release);
}

// The last records of all harts, in order of time; for panics, when every hart stands still.
void print_last_records();
