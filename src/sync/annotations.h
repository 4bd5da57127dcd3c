// Names for Clang's thread-safety attributes; nothing for a compiler that does not know them. The
// second compile of `make check` holds the kernel to them.
#pragma once

#if defined(__clang__)
#define KAIROS_ATTRIBUTE(x) __attribute__((x))
#else
#define KAIROS_ATTRIBUTE(x)
#endif

#define CAPABILITY(name) KAIROS_ATTRIBUTE(capability(name))
#define SCOPED_CAPABILITY KAIROS_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(lock) KAIROS_ATTRIBUTE(guarded_by(lock))
#define REQUIRES(...) KAIROS_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) KAIROS_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) KAIROS_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) KAIROS_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define RELEASE(...) KAIROS_ATTRIBUTE(release_capability(__VA_ARGS__))
#define RETURN_CAPABILITY(lock) KAIROS_ATTRIBUTE(lock_returned(lock))
#define NO_THREAD_SAFETY_ANALYSIS KAIROS_ATTRIBUTE(no_thread_safety_analysis)
