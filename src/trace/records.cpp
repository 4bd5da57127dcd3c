#include "trace/records.h"

#include <algorithm>

#include "trace/log.h"

constinit PerHart<TraceRing> trace_rings;
constinit std::atomic<bool> trace_on{true};

namespace {

constexpr uint32_t kPrinted = 32;

struct EventNames {
    const char* event;
    const char* first;
    const char* second;
};
constexpr EventNames kNames[] = {
#define KAIROS_NAME_EVENT(name, first, second) {#name, first, second},
    KAIROS_TRACE_EVENTS(KAIROS_NAME_EVENT)
#undef KAIROS_NAME_EVENT
};

// The latest record, of any hart, that is older than `before`; null if there is none in the rings.
const TraceRecord* latest_before(const uint64_t (&positions)[kMaxHarts], uint32_t* of_hart) {
    const TraceRecord* latest = nullptr;
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        TraceRing& ring = trace_rings.at({i});
        const uint64_t written = ring.written.load(std::memory_order_acquire);
        if (positions[i] == 0 || written - positions[i] >= kTraceRecords) continue;
        const TraceRecord& record = ring.records[(positions[i] - 1) % kTraceRecords];
        if (latest == nullptr || record.time_ns > latest->time_ns) {
            latest = &record;
            *of_hart = i;
        }
    }
    return latest;
}

}  // namespace

void print_last_records() {
    uint64_t positions[kMaxHarts] = {};
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        positions[i] = trace_rings.at({i}).written.load(std::memory_order_acquire);
    }
    const TraceRecord* found[kPrinted];
    uint32_t count = 0;
    uint32_t hart = 0;
    while (count < kPrinted) {
        const TraceRecord* record = latest_before(positions, &hart);
        if (record == nullptr) break;
        --positions[hart];
        found[count++] = record;
    }
    print("last trace records:\n");
    while (count > 0) {
        const TraceRecord& record = *found[--count];
        const EventNames& names = kNames[static_cast<uint32_t>(record.event)];
        print("    %12lu ns hart %u %s: %s %lx, %s %lx\n", record.time_ns, record.hart, names.event,
              names.first, record.first, names.second, record.second);
    }
}
