// Values that mean different things do not mix. How a file like this is read: support/nocompile.py.
#include "base/types.h"
#include "base/result.h"

Status may_fail();
Result<int> may_give();
void take_physical(PhysicalAddress);
void take_rights(Rights);
void take_hart(HartIndex);

Status example() {
#if CASE == 0
    TRY(may_fail());
    take_physical(PhysicalAddress{TRY(may_give()) * kPageSize});
    take_rights(right::kRead | right::kWrite);
#elif CASE == 1  // error: ignoring return value|nodiscard
    may_fail();
#elif CASE == 2  // error: ignoring return value|nodiscard
    may_give();
#elif CASE == 3  // error: could not convert|no known conversion
    take_physical(VirtualAddress{4096});
#elif CASE == 4  // error: could not convert|no known conversion
    take_rights(3u);
#elif CASE == 5  // error: could not convert|no known conversion
    take_hart(3u);
#elif CASE == 6  // error: no match for|invalid operands
    return PhysicalAddress{1} == VirtualAddress{1} ? Status{} : Fail(Error::INVAL);
#elif CASE == 7  // error: could not convert|no viable conversion
    return Error::INVAL;
#elif CASE == 8  // error: no match for|cannot be converted|value of type
    if (may_give() == 0) return {};
#elif CASE == 9  // error: non-scalar type|cannot convert|no viable conversion
    const Instant deadline = uint64_t{1000};
    (void)deadline;
#endif
    return {};
}
