// The clock: the time CSR, which all harts share, in nanoseconds. Ticks are converted in two parts,
// whole seconds and the rest, so that nothing overflows and nothing drifts: now() rounds down, a
// timer's ticks are rounded up, and therefore now() is never below `when` when a timer has fired.
#include "arch/time.h"

#include "base/assert.h"
#include "csr.h"
#include "sbi.h"

namespace arch {
namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint64_t kNever = UINT64_MAX;

uint64_t ticks_per_second = 1;
bool stimecmp_exists = false;

// The first tick at which now() is not below `when`.
uint64_t ticks_at(Instant when) {
    if (when.is_never()) return kNever;
    const uint64_t rest = when.nanoseconds % kNanosecondsPerSecond * ticks_per_second;
    const uint64_t rest_ticks = (rest + kNanosecondsPerSecond - 1) / kNanosecondsPerSecond;
    uint64_t ticks;
    const bool beyond = __builtin_mul_overflow(when.nanoseconds / kNanosecondsPerSecond,
                                               ticks_per_second, &ticks) ||
                        __builtin_add_overflow(ticks, rest_ticks, &ticks);
    return beyond ? kNever : ticks;
}

}  // namespace

void init_time(uint32_t timebase_hz, bool has_sstc) {
    check(timebase_hz != 0, "the clock does not count");
    ticks_per_second = timebase_hz;
    stimecmp_exists = has_sstc;
    set_timer(Instant::never());
}

uint64_t ticks() { return csr::read<csr::kTime>(); }

Instant instant_of(uint64_t ticks) {
    const uint64_t rest = ticks % ticks_per_second * kNanosecondsPerSecond;
    return {ticks / ticks_per_second * kNanosecondsPerSecond + rest / ticks_per_second};
}

Instant now() { return instant_of(ticks()); }

void set_timer(Instant when) {
    const uint64_t ticks = ticks_at(when);
    if (stimecmp_exists) {
        csr::write<csr::kStimecmp>(ticks);
    } else {
        sbi::set_timer(ticks);
    }
}

}  // namespace arch
