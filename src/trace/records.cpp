#include "trace/records.h"

#include "arch/time.h"

const char* const kTraceKindNames[KAIROS_TRACE_KIND_COUNT] = {
#define KAIROS_NAME_KIND(name, text) #name,
    KAIROS_TRACE_KINDS(KAIROS_NAME_KIND)
#undef KAIROS_NAME_KIND
};

static_assert(sizeof(kairos_trace_record) == sizeof(TraceRing::Words));
static_assert(KAIROS_TRACE_KIND_COUNT <= arch::kHartFlags);

namespace {

constinit PerHart<TraceRing> rings;
constinit std::atomic<uint32_t> kinds_on{0};

kairos_trace_record record_of(const TraceRing::Words& words) {
    const uint64_t header = words[2];
    return {.sequence = words[0],
            .time_ns = arch::instant_of(words[1]).nanoseconds,
            .version = static_cast<uint8_t>(header),
            .kind = static_cast<uint8_t>(header >> 8),
            .event = static_cast<uint16_t>(header >> 16),
            .hart = static_cast<uint32_t>(header >> 32),
            .thread_id = words[3],
            .values = {words[4], words[5], words[6], words[7]}};
}

}  // namespace

void record(uint64_t header, uint64_t v0, uint64_t v1, uint64_t v2, uint64_t v3) {
    const uint64_t ticks = arch::ticks();
    const uint64_t thread = current_thread_id();
    rings.local().write([&](uint64_t number, auto store) {
        store(0, number);
        store(1, ticks);
        store(2, header | uint64_t{this_hart().index.value} << 32);
        store(3, thread);
        store(4, v0);
        store(5, v1);
        store(6, v2);
        store(7, v3);
    });
}

void give_trace_memory(HartIndex hart, TraceRing::Slot* slots) {
    rings.at(hart).give_memory(slots, KAIROS_TRACE_RECORDS);
}

uint32_t trace_kinds() { return kinds_on.load(std::memory_order_relaxed); }

void set_trace_kinds(uint32_t kinds) {
    kinds_on.store(kinds, std::memory_order_relaxed);
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        if (!rings.at({i}).ready()) continue;
        for (uint32_t kind = 0; kind < KAIROS_TRACE_KIND_COUNT; ++kind) {
            Harts::at({i}).block.flags[kind].store(kinds >> kind & 1, std::memory_order_relaxed);
        }
    }
}

uint64_t trace_next(HartIndex hart) { return rings.at(hart).next(); }
uint64_t trace_oldest(HartIndex hart) { return rings.at(hart).oldest(); }

uint32_t read_trace(HartIndex hart, uint64_t from, kairos_trace_record* out, uint32_t max) {
    const TraceRing& ring = rings.at(hart);
    uint32_t count = 0;
    for (uint64_t number = from; count < max; ++number) {
        if (const uint64_t oldest = ring.oldest(); number < oldest) number = oldest;
        if (number >= ring.next()) break;
        TraceRing::Words words;
        if (ring.read(number, words)) out[count++] = record_of(words);
    }
    return count;
}
