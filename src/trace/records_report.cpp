// The end of the trace, as a panic prints it: the last records of all harts, in order of time.
#include "trace/log.h"
#include "trace/records.h"

namespace {

constexpr uint32_t kPrinted = 48;
kairos_trace_record found[kPrinted];

// Puts the latest record of any hart that stands before `positions` into `latest`.
bool latest_before(uint64_t (&positions)[kMaxHarts], kairos_trace_record& latest) {
    bool any = false;
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        kairos_trace_record record;
        if (positions[i] == 0 || read_trace({i}, positions[i] - 1, &record, 1) == 0) continue;
        if (record.sequence != positions[i] - 1) continue;  // overwritten
        if (any && record.time_ns <= latest.time_ns) continue;
        latest = record;
        any = true;
    }
    if (any) --positions[latest.hart];
    return any;
}

void print_record(const kairos_trace_record& record) {
    const TraceEventInfo& info = kTraceEvents[record.event];
    print("    %12lu ns hart %u thread %lu: %s", record.time_ns, record.hart, record.thread_id,
          info.name);
    for (uint32_t i = 0; i < 4; ++i) {
        if (info.values[i][0] != 0) print(" %s=%lx", info.values[i], record.values[i]);
    }
    print("\n");
}

}  // namespace

void print_last_records() {
    uint64_t positions[kMaxHarts] = {};
    for (uint32_t i = 0; i < Harts::count(); ++i) positions[i] = trace_next({i});
    uint32_t count = 0;
    while (count < kPrinted && latest_before(positions, found[count])) ++count;
    print("last trace records:\n");
    while (count > 0) print_record(found[--count]);
}
