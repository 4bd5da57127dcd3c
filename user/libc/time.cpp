// Time as libc has it. There is no calendar clock: all clocks begin when the machine starts.
#include <kairos/kairos.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kMicrosecond = 1'000;
constexpr kairos_time_t kNever = KAIROS_TIME_INFINITE;

int fail(int error) {
    errno = error;
    return -1;
}

timespec to_timespec(uint64_t nanoseconds) {
    timespec result = {};
    result.tv_sec = static_cast<time_t>(nanoseconds / kSecond);
    result.tv_nsec = static_cast<long>(nanoseconds % kSecond);
    return result;
}

bool is_length(const timespec& time) {
    return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < static_cast<long>(kSecond);
}

// The deadline `seconds` and `nanoseconds` after `from`, or never.
kairos_time_t add(kairos_time_t from, uint64_t seconds, uint64_t nanoseconds) {
    uint64_t length;
    uint64_t deadline;
    if (__builtin_mul_overflow(seconds, kSecond, &length) ||
        __builtin_add_overflow(length, nanoseconds, &length) ||
        __builtin_add_overflow(from, length, &deadline)) {
        return kNever;
    }
    return deadline;
}

// What is left until `deadline`.
uint64_t left_until(kairos_time_t deadline) {
    const kairos_time_t now = kairos_clock_now();
    return deadline > now ? deadline - now : 0;
}

bool is_known(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC; }

}  // namespace

extern "C" {

int gettimeofday(struct timeval* __restrict time, void* __restrict) {
    const kairos_time_t now = kairos_clock_now();
    time->tv_sec = static_cast<time_t>(now / kSecond);
    time->tv_usec = static_cast<suseconds_t>(now % kSecond / kMicrosecond);
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
    if (!is_known(clock)) return fail(EINVAL);
    *time = to_timespec(kairos_clock_now());
    return 0;
}

int clock_getres(clockid_t clock, struct timespec* resolution) {
    if (!is_known(clock)) return fail(EINVAL);
    if (resolution != nullptr) *resolution = to_timespec(1);
    return 0;
}

int nanosleep(const struct timespec* length, struct timespec* left) {
    if (!is_length(*length)) return fail(EINVAL);
    const kairos_time_t deadline = add(kairos_clock_now(), static_cast<uint64_t>(length->tv_sec),
                                       static_cast<uint64_t>(length->tv_nsec));
    if (kairos_sleep_until(deadline) == 0) return 0;
    if (left != nullptr) *left = to_timespec(left_until(deadline));
    return fail(EINTR);
}

int usleep(useconds_t length) {
    const kairos_time_t deadline = add(kairos_clock_now(), 0, uint64_t{length} * kMicrosecond);
    return kairos_sleep_until(deadline) == 0 ? 0 : fail(EINTR);
}

unsigned sleep(unsigned seconds) {
    const kairos_time_t deadline = add(kairos_clock_now(), seconds, 0);
    if (kairos_sleep_until(deadline) == 0) return 0;
    return static_cast<unsigned>((left_until(deadline) + kSecond - 1) / kSecond);
}

// The time that the calling thread has run: its process's is not counted. In ticks of
// CLOCKS_PER_SEC, microseconds.
clock_t times(struct tms* times) {
    kairos_info_thread info;
    const kairos_status_t status =
        kairos_object_info(kairos_self_thread(), KAIROS_INFO_THREAD, &info, sizeof(info));
    *times = {};
    if (status >= 0) times->tms_utime = static_cast<clock_t>(info.time_ns / kMicrosecond);
    return static_cast<clock_t>(kairos_clock_now() / kMicrosecond);
}

int sched_yield() {
    kairos_yield();
    return 0;
}

}  // extern "C"
