// From registers to bodies: the tables that trap entry jumps through. Each entry converts the
// argument registers by the types of its body, so a 32-bit argument is the low half of its
// register, and turns the Result into the value of a0.
#include <utility>

#include "abi/syscalls.h"
#include "arch/entry.h"
#include "sync/hart.h"
#include "syscall/bodies.h"
#include "syscall/tables.h"
#include "trace/records.h"

namespace {

struct Register {
    uint64_t value;

    operator uint32_t() const { return static_cast<uint32_t>(value); }
    operator int32_t() const { return static_cast<int32_t>(value); }
    operator uint64_t() const { return value; }
    operator int64_t() const { return static_cast<int64_t>(value); }
    operator VirtualAddress() const { return {value}; }
    operator Instant() const { return {value}; }
    template <typename T>
    operator UserPointer<T>() const {
        return {{value}};
    }
};

int64_t to_register(Status status) {
    return status.ok() ? 0 : -static_cast<int64_t>(status.error());
}
int64_t to_register(Result<int64_t> result) {
    return result.ok() ? *result : -static_cast<int64_t>(result.error());
}

template <auto kBody>
struct Entry;
template <typename Return, typename... Arguments, Return (*kBody)(Arguments...)>
struct Entry<kBody> {
    static int64_t call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                        uint64_t a5) {
        quiet_begins(reinterpret_cast<uint64_t>(kBody));
        const Register registers[] = {{a0}, {a1}, {a2}, {a3}, {a4}, {a5}};
        const int64_t result = [&]<size_t... i>(std::index_sequence<i...>) {
            return to_register(kBody(Arguments(registers[i])...));
        }
        (std::index_sequence_for<Arguments...>{});
        quiet_ends();
        return result;
    }
};

// The same, recorded.
template <auto kBody, uint32_t kNumber>
int64_t recorded_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5) {
    trace<TraceEvent::enter>(kNumber, a0, a1, a2);
    const int64_t result = Entry<kBody>::call(a0, a1, a2, a3, a4, a5);
    trace<TraceEvent::leave>(kNumber, static_cast<uint64_t>(result));
    return result;
}

enum : uint32_t {
#define KAIROS_NUMBER(name) kNumberOf_##name,
    KAIROS_SYSCALLS(KAIROS_NUMBER)
#undef KAIROS_NUMBER
};

#define KAIROS_ENTRY(name) &Entry<&system_calls::name>::call,
constexpr arch::SystemCall kPlainTable[] = {KAIROS_SYSCALLS(KAIROS_ENTRY)};
#undef KAIROS_ENTRY
#define KAIROS_ENTRY(name) &recorded_call<&system_calls::name, kNumberOf_##name>,
constexpr arch::SystemCall kRecordedTable[] = {KAIROS_SYSCALLS(KAIROS_ENTRY)};
#undef KAIROS_ENTRY

}  // namespace

void choose_system_call_tables(bool recorded) {
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        Harts::at({i}).block.system_call_table.store(recorded ? kRecordedTable : kPlainTable,
                                                     std::memory_order_relaxed);
    }
}

extern "C" {

const uint64_t system_call_count = std::size(kPlainTable);

int64_t unknown_system_call() { return -static_cast<int64_t>(Error::NOSYS); }

}  // extern "C"

Status system_calls::nop() { return {}; }
