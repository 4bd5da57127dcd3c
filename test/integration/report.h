// How the test programs say what they find: one line per case, and what a failure saw. Lines go out
// whole, by kairos_debug_write, so that those of threads and processes do not mix, and so that
// reporting needs nothing of what is tested but that one call.
//
// Deliberately not here: which case runs, and in which process (isolation.h).
#pragma once

#include <kairos/errors.h>
#include <kairos/kairos.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <atomic>
#include <initializer_list>
#include <type_traits>
#include <utility>

namespace harness {

inline constexpr size_t kLineBytes = 400;

// Writes one line.
[[gnu::format(printf, 1, 2)]] inline void print(const char* format, ...) {
    char line[kLineBytes];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
    va_end(arguments);
    size_t used = length < 0 ? 0 : static_cast<size_t>(length);
    if (used > sizeof(line) - 2) used = sizeof(line) - 2;
    line[used++] = '\n';
    kairos_debug_write(line, used);
}

// The name of a status: "EBADF" for -EBADF; null for what is no error of the contract.
inline const char* status_name(int64_t status) {
    switch (-status) {
#define KAIROS_STATUS_NAME(name, number, text) \
    case number:                               \
        return "E" #name;
        KAIROS_ERRORS(KAIROS_STATUS_NAME)
#undef KAIROS_STATUS_NAME
        default:
            return nullptr;
    }
}

// ---- Values as text
// ------------------------------------------------------------------------------

struct Text {
    char chars[64];
};

template <typename T>
Text text_of(T value) {
    Text text;
    char* const to = text.chars;
    constexpr size_t kSize = sizeof(text.chars);
    if constexpr (std::is_null_pointer_v<T>) {
        snprintf(to, kSize, "null");
    } else if constexpr (std::is_same_v<T, bool>) {
        snprintf(to, kSize, "%s", value ? "true" : "false");
    } else if constexpr (std::is_pointer_v<T>) {
        snprintf(to, kSize, "%p", static_cast<const void*>(value));
    } else if constexpr (std::is_enum_v<T>) {
        snprintf(to, kSize, "%lld", static_cast<long long>(value));
    } else if constexpr (std::is_signed_v<T>) {
        const char* name = value < 0 ? status_name(value) : nullptr;
        if (name != nullptr) {
            snprintf(to, kSize, "-%s (%lld)", name, static_cast<long long>(value));
        } else {
            snprintf(to, kSize, "%lld", static_cast<long long>(value));
        }
    } else {
        const auto wide = static_cast<unsigned long long>(value);
        snprintf(to, kSize, wide < 10 ? "%llu" : "%llu (0x%llx)", wide, wide);
    }
    return text;
}

template <typename A, typename B>
bool equal(const A& a, const B& b) {
    constexpr bool kIntegers = std::is_integral_v<A> && std::is_integral_v<B> &&
                               !std::is_same_v<A, bool> && !std::is_same_v<B, bool> &&
                               !std::is_same_v<A, char> && !std::is_same_v<B, char>;
    if constexpr (kIntegers) {
        return std::cmp_equal(a, b);
    } else {
        return a == b;
    }
}

// ---- Failures
// ------------------------------------------------------------------------------------

struct Running {
    const char* name = "";              // of the case
    std::atomic<uint32_t> failures{0};  // of the case, by whatever thread
};
inline Running running;

// The first failure of a case is its line; further ones are added below it.
[[gnu::format(printf, 3, 4)]] inline void fail(const char* file, int line, const char* format,
                                               ...) {
    char reason[kLineBytes];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    const char* slash = strrchr(file, '/');
    if (slash != nullptr) file = slash + 1;
    if (running.failures.fetch_add(1) == 0) {
        print("FAIL %s: %s:%d: %s", running.name, file, line, reason);
    } else {
        print("    also %s:%d: %s", file, line, reason);
    }
}

// Exit codes of a process that runs one case.
inline constexpr int64_t kPassed = 0;
inline constexpr int64_t kFailed = 1;  // and said why

// Ends the case here: what follows makes no sense without what has just failed.
[[noreturn]] inline void abandon() { kairos_process_exit(kFailed); }

template <typename A, typename B>
bool expect_equal(const A& expected, const B& actual, const char* what, const char* file,
                  int line) {
    if (equal(expected, actual)) return true;
    fail(file, line, "%s is %s, not %s", what, text_of(actual).chars, text_of(expected).chars);
    return false;
}

inline bool expect_true(bool holds, const char* what, const char* file, int line) {
    if (!holds) fail(file, line, "not so: %s", what);
    return holds;
}

// Whether `status` is one of those listed, for the places where the contract leaves a choice.
inline bool one_of(kairos_status_t status, std::initializer_list<kairos_status_t> allowed) {
    for (const kairos_status_t candidate : allowed) {
        if (status == candidate) return true;
    }
    return false;
}

inline bool expect_one_of(std::initializer_list<kairos_status_t> allowed, kairos_status_t status,
                          const char* what, const char* file, int line) {
    if (one_of(status, allowed)) return true;
    fail(file, line, "%s is %s", what, text_of(status).chars);
    return false;
}

}  // namespace harness

// EXPECT_* note a failure and go on, REQUIRE_* end the case. The expected value comes first.
#define EXPECT(condition) ::harness::expect_true((condition), #condition, __FILE__, __LINE__)
#define EXPECT_EQ(expected, actual) \
    ::harness::expect_equal((expected), (actual), #actual, __FILE__, __LINE__)
#define EXPECT_STATUS(expected, call)                               \
    ::harness::expect_equal(static_cast<kairos_status_t>(expected), \
                            static_cast<kairos_status_t>(call), #call, __FILE__, __LINE__)
#define EXPECT_ONE_OF(list, call) ::harness::expect_one_of(list, (call), #call, __FILE__, __LINE__)
// Braces do not survive a macro's argument list: EXPECT_ONE_OF(ANY(-EPIPE, 0), call).
#define ANY(...) \
    { __VA_ARGS__ }

#define REQUIRE(condition)                            \
    do {                                              \
        if (!EXPECT(condition)) ::harness::abandon(); \
    } while (false)
#define REQUIRE_EQ(expected, actual)                            \
    do {                                                        \
        if (!EXPECT_EQ(expected, actual)) ::harness::abandon(); \
    } while (false)
#define REQUIRE_STATUS(expected, call)                            \
    do {                                                          \
        if (!EXPECT_STATUS(expected, call)) ::harness::abandon(); \
    } while (false)
