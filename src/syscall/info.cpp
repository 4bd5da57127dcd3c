// kairos_object_info: one table of topics; each says which type it is of, which right it needs, and
// how it is written.
#include <cstring>

#include "arch/time.h"
#include "device/resource.h"
#include "fd/file.h"
#include "ipc/channel.h"
#include "ipc/port.h"
#include "memory/memory_object.h"
#include "mm/frames.h"
#include "object/budget_audit.h"
#include "object/reclaim.h"
#include "object/registry.h"
#include "platform/machine.h"
#include "process/process.h"
#include "sched/scheduler.h"
#include "sync/preemption.h"
#include "syscall/bodies.h"
#include "trace/counters.h"
#include "trace/records.h"

namespace system_calls {

namespace {

// Elements of an array copied between two chances for others to run.
constexpr uint32_t kElementsPerTurn = 8;

struct Query {
    HandleValue handle;
    const FoundHandle& found;
    UserPointer<uint8_t> buffer;
    uint64_t size;
};

// Copies one struct out, or says that the buffer is too small for it.
template <typename T>
Result<int64_t> answer(const Query& query, const T& info) {
    if (query.size < sizeof(T)) return Fail(Error::MSGSIZE);
    if (!arch::copy_to_user(query.buffer.address, &info, sizeof(T))) return Fail(Error::FAULT);
    return static_cast<int64_t>(sizeof(T));
}

Result<int64_t> basic(const Query& query) {
    const Object& object = *query.found.object;
    return answer(query, kairos_info_basic{.id = static_cast<uint64_t>(object.id()),
                                           .type = static_cast<uint32_t>(object.type()),
                                           .lifecycle = static_cast<uint32_t>(object.lifecycle()),
                                           .references = object.references(),
                                           .rights = query.found.rights.bits()});
}

Result<int64_t> lineage(const Query& query) {
    return answer(query, TRY(current_thread().handles().describe_lineage(query.handle)));
}

// Copies out the first `count` of an array.
template <typename T, size_t kMost>
Result<int64_t> answer_some(const Query& query, const T (&events)[kMost], uint32_t count) {
    const uint64_t bytes = count * sizeof(T);
    if (query.size < bytes) return Fail(Error::MSGSIZE);
    if (bytes != 0 && !arch::copy_to_user(query.buffer.address, events, bytes)) {
        return Fail(Error::FAULT);
    }
    return static_cast<int64_t>(bytes);
}

Result<int64_t> reference_history(const Query& query) {
    kairos_info_reference_event events[ObjectHistory::kReferenceEvents];
    const ObjectHistory* history = query.found.object->history();
    return answer_some(query, events, history == nullptr ? 0 : history->references(events));
}

Result<int64_t> transfer_history(const Query& query) {
    kairos_info_transfer_event events[ObjectHistory::kTransferEvents];
    const ObjectHistory* history = query.found.object->history();
    return answer_some(query, events, history == nullptr ? 0 : history->transfers(events));
}

template <typename T>
Result<int64_t> describe(const Query& query) {
    return answer(query, static_cast<T*>(query.found.object)->describe());
}

kairos_info_budget numbers_of(const Budget& budget) {
    return {.limit = budget.limit(), .used = budget.used(), .peak = budget.peak()};
}

Result<int64_t> budget(const Query& query) {
    if (query.found.type == ObjectType::kBudget) {
        return answer(query, numbers_of(*static_cast<Budget*>(query.found.object)));
    }
    if (query.found.type != ObjectType::kProcess) return Fail(Error::NOTSUP);
    if (!query.found.rights.covers(right::kRead)) return Fail(Error::ACCES);
    return answer(query, numbers_of(static_cast<Process*>(query.found.object)->budget()));
}

// Authority over the system's state, by a RESOURCE with the right to read.
Status check_system(const Query& query) {
    if (!static_cast<Resource*>(query.found.object)->range().covers({ResourceKind::kSystem})) {
        return Fail(Error::ACCES);
    }
    return {};
}

Result<int64_t> system(const Query& query) {
    TRY(check_system(query));
    Ref<Object> keep(*query.found.object);
    Reclaim::drain();  // so that what is free is seen to be free
    return answer(query,
                  kairos_info_system{.harts = Harts::count(),
                                     .processes = ObjectRegistry::count_of(ObjectType::kProcess),
                                     .objects = ObjectRegistry::count(),
                                     .memory_total = mm::total_frames() * kPageSize,
                                     .memory_free = mm::free_frames_count() * kPageSize,
                                     .uptime_ns = arch::now().nanoseconds});
}

Result<int64_t> accounts(const Query& query) {
    TRY(check_system(query));
    Ref<Object> keep(*query.found.object);
    Reclaim::drain();
    const BudgetAccounts found = BudgetAccounts::take();
    return answer(query, kairos_info_accounts{.charged = found.charged,
                                              .allocated = found.allocated,
                                              .shared = found.shared,
                                              .own = found.own,
                                              .budgets = found.budgets,
                                              .sound = found.sound ? 1u : 0u});
}

Result<int64_t> harts(const Query& query) {
    TRY(check_system(query));
    const uint64_t bytes = Harts::count() * sizeof(kairos_info_hart);
    if (query.size < bytes) return Fail(Error::MSGSIZE);
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        const Hart& hart = Harts::at({i});
        const kairos_info_hart info{.hart = i,
                                    .reserved = 0,
                                    .sbi_id = hart.hardware_id,
                                    .idle_ns = Scheduler::idle_ns({i}),
                                    .switches = counter_of(Counter::sched_switches, {i}),
                                    .system_calls = hart.block.system_calls,
                                    .interrupts = counter_of(Counter::interrupts, {i}),
                                    .ipis_sent = counter_of(Counter::sched_ipis, {i}),
                                    .threads_migrated_here = Scheduler::migrated_to({i}),
                                    .longest_quiet = hart.quiet.longest.load()};
        if (!arch::copy_to_user(query.buffer.address + i * sizeof(info), &info, sizeof(info))) {
            return Fail(Error::FAULT);
        }
    }
    return static_cast<int64_t>(bytes);
}

Result<int64_t> platform_info(const Query& query) {
    TRY(check_system(query));
    const platform::Machine& machine = platform::machine();
    return answer(query, kairos_info_platform{.uart_base = machine.uart.base.value,
                                              .uart_size = machine.uart.size,
                                              .uart_interrupt = machine.uart_interrupt,
                                              .timebase_hz = machine.timebase_hz});
}

// Answers an array, element by element. Uses no object, so that others may run in between.
template <typename Describe>
Result<int64_t> answer_each(const Query& query, uint32_t count, Describe describe_one) {
    using Element = decltype(describe_one(0u));
    TRY(check_system(query));
    if (query.size < count * sizeof(Element)) return Fail(Error::MSGSIZE);
    const UserPointer<Element> to{query.buffer.address};
    for (uint32_t i = 0; i < count; ++i) {
        TRY(to.at(i).write(describe_one(i)));
        if (i % kElementsPerTurn == kElementsPerTurn - 1) preemption_point();
    }
    return static_cast<int64_t>(count * sizeof(Element));
}

template <size_t kSize>
void set_text(char (&to)[kSize], const char* from) {
    for (size_t i = 0; i + 1 < kSize && from[i] != 0; ++i) to[i] = from[i];
}

Result<int64_t> counters(const Query& query) {
    return answer_each(query, kCounterCount, [](uint32_t i) {
        kairos_info_counter counter{};
        counter.total = counter_total(static_cast<Counter>(i));
        set_text(counter.name, kCounterNames[i]);
        set_text(counter.text, kCounterTexts[i]);
        return counter;
    });
}

Result<int64_t> trace_state(const Query& query) {
    return answer_each(query, Harts::count(), [](uint32_t i) {
        return kairos_info_trace{.oldest = trace_oldest({i}),
                                 .next = trace_next({i}),
                                 .hart = i,
                                 .kinds = trace_kinds(),
                                 .records = KAIROS_TRACE_RECORDS,
                                 .version = KAIROS_TRACE_VERSION};
    });
}

Result<int64_t> trace_events(const Query& query) {
    return answer_each(query, KAIROS_TRACE_EVENT_COUNT, [](uint32_t i) {
        const TraceEventInfo& event = kTraceEvents[i];
        kairos_info_trace_event info{};
        set_text(info.kind, kTraceKindNames[static_cast<uint32_t>(event.kind)]);
        set_text(info.name, event.name);
        for (uint32_t j = 0; j < 4; ++j) set_text(info.values[j], event.values[j]);
        return info;
    });
}

struct Topic {
    uint32_t number;
    ObjectType type;  // kAny: every type, or as the function says
    Rights needed;    // beyond having any
    Result<int64_t> (*write)(const Query&);
};

constexpr Topic kTopics[] = {
    {KAIROS_INFO_BASIC, ObjectType::kAny, right::kNone, basic},
    {KAIROS_INFO_REFCOUNT_HISTORY, ObjectType::kAny, right::kNone, reference_history},
    {KAIROS_INFO_TRANSFER_HISTORY, ObjectType::kAny, right::kNone, transfer_history},
    {KAIROS_INFO_LINEAGE, ObjectType::kAny, right::kNone, lineage},
    {KAIROS_INFO_CHANNEL, ObjectType::kChannel, right::kNone, describe<Endpoint>},
    {KAIROS_INFO_PORT, ObjectType::kPort, right::kNone, describe<Port>},
    {KAIROS_INFO_PROCESS, ObjectType::kProcess, right::kRead, describe<Process>},
    {KAIROS_INFO_THREAD, ObjectType::kThread, right::kRead, describe<Thread>},
    {KAIROS_INFO_MEMORY, ObjectType::kMemory, right::kNone, describe<MemoryObject>},
    {KAIROS_INFO_BUDGET, ObjectType::kAny, right::kNone, budget},
    {KAIROS_INFO_FILE, ObjectType::kFile, right::kNone, describe<File>},
    {KAIROS_INFO_SYSTEM, ObjectType::kResource, right::kRead, system},
    {KAIROS_INFO_HARTS, ObjectType::kResource, right::kRead, harts},
    {KAIROS_INFO_PLATFORM, ObjectType::kResource, right::kRead, platform_info},
    {KAIROS_INFO_COUNTERS, ObjectType::kResource, right::kRead, counters},
    {KAIROS_INFO_TRACE, ObjectType::kResource, right::kRead, trace_state},
    {KAIROS_INFO_TRACE_EVENTS, ObjectType::kResource, right::kRead, trace_events},
    {KAIROS_INFO_ACCOUNTS, ObjectType::kResource, right::kRead, accounts},
};

}  // namespace

Result<int64_t> object_info(HandleValue handle, uint32_t topic_number, UserPointer<uint8_t> buffer,
                            uint64_t size) {
    const Topic* topic = nullptr;
    for (const Topic& candidate : kTopics) {
        if (candidate.number == topic_number) topic = &candidate;
    }
    if (topic == nullptr) return Fail(Error::INVAL);
    if (size != 0) TRY(buffer.check_range(size));
    const FoundHandle found = TRY(current_thread().handles().find(handle));
    if (topic->type != ObjectType::kAny && found.type != topic->type) return Fail(Error::NOTSUP);
    if (!found.rights.covers(topic->needed)) return Fail(Error::ACCES);
    return topic->write({handle, found, buffer, size});
}

}  // namespace system_calls
