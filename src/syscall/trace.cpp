// Reading and switching the trace.
#include "trace/records.h"

#include <algorithm>

#include "arch/user_copy.h"
#include "sync/preemption.h"
#include "syscall/authority.h"
#include "syscall/bodies.h"
#include "syscall/tables.h"

namespace system_calls {

namespace {
// Records copied between two chances for others to run.
constexpr uint32_t kCopiedPerTurn = 16;
}  // namespace

Result<int64_t> trace_read(HandleValue resource, uint32_t hart, uint64_t from,
                           UserPointer<kairos_trace_record> out, uint32_t max) {
    if (hart >= Harts::count() || max == 0) return Fail(Error::INVAL);
    TRY(out.check_range(max));
    TRY(authority(resource, right::kRead, {ResourceKind::kSystem}));
    uint32_t done = 0;
    while (done < max) {
        kairos_trace_record records[kCopiedPerTurn];
        const uint32_t count =
            read_trace({hart}, from, records, std::min(max - done, kCopiedPerTurn));
        if (count == 0) break;
        if (!arch::copy_to_user(out.at(done).address, records, count * sizeof(records[0]))) {
            return Fail(Error::FAULT);
        }
        done += count;
        from = records[count - 1].sequence + 1;
        preemption_point();
    }
    return done;
}

Result<int64_t> trace_control(HandleValue resource, uint32_t kinds) {
    if ((kinds & ~KAIROS_TRACE_ALL) != 0) return Fail(Error::INVAL);
    TRY(authority(resource, right::kManage, {ResourceKind::kSystem}));
    const uint32_t before = trace_kinds();
    switch_trace(kinds);
    return before;
}

}  // namespace system_calls

void switch_trace(uint32_t kinds) {
    set_trace_kinds(kinds);
    choose_system_call_tables((kinds >> KAIROS_TRACE_KIND_syscall & 1) != 0);
}
