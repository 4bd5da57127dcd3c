/* Clock, sleep, timers and futexes (contract, section 8). All times are absolute nanoseconds on the
 * monotonic clock, which begins at 0 when the machine starts. */
#ifndef KAIROS_TIME_H
#define KAIROS_TIME_H

#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* The time now. Never fails. */
kairos_time_t kairos_clock_now(void);

/* Sleeps until `deadline`; KAIROS_TIME_INFINITE for ever. Returns 0, at once if it has passed.
 * -EINTR. */
kairos_status_t kairos_sleep_until(kairos_time_t deadline);

/* Makes a timer, disarmed. It raises KPORT_BIND_TIMER and is POLLIN when it expires. */
kairos_status_t kairos_timer_create(kairos_handle_t* out);

/* Arms a timer for `deadline`, and from there every `period_ns` if that is not 0;
 * KAIROS_TIME_INFINITE disarms it. Either way it is not POLLIN until it expires again; the packet
 * of an earlier expiry stays in its port, as all packets do. Needs KRIGHT_MANAGE. */
kairos_status_t kairos_timer_set(kairos_handle_t timer, kairos_time_t deadline, uint64_t period_ns);

/* Sleeps if `*address` still is `expected`, until a kairos_futex_wake of the same address. Returns
 * 0 when woken. -EINVAL: the address is not a multiple of 4. -EFAULT. -EAGAIN: the value is another
 * one. -ETIMEDOUT, -EINTR. May return 0 without anybody having called wake: check and repeat. */
kairos_status_t kairos_futex_wait(const uint32_t* address, uint32_t expected,
                                  kairos_time_t deadline);

/* Wakes up to `count` threads that sleep on `address`, longest sleeper first; returns how many.
 * -EINVAL: the address is not a multiple of 4. -EFAULT. */
kairos_status_t kairos_futex_wake(const uint32_t* address, uint32_t count);

KAIROS_END_DECLARATIONS

#endif
