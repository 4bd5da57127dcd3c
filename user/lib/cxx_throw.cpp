// Where the C++ library would throw, the program ends with a message. Weak, for the library's own
// may come along with other parts of it.
#include <bits/functexcept.h>

#include "fatal.hpp"

using kairos::internal::fatal;

namespace std {

[[gnu::weak]] void __throw_bad_exception() { fatal("std::bad_exception"); }
[[gnu::weak]] void __throw_bad_alloc() { fatal("std::bad_alloc"); }
[[gnu::weak]] void __throw_bad_array_new_length() { fatal("std::bad_array_new_length"); }
[[gnu::weak]] void __throw_bad_cast() { fatal("std::bad_cast"); }
[[gnu::weak]] void __throw_bad_typeid() { fatal("std::bad_typeid"); }
[[gnu::weak]] void __throw_bad_function_call() { fatal("std::bad_function_call"); }
[[gnu::weak]] void __throw_logic_error(const char* what) { fatal("std::logic_error", what); }
[[gnu::weak]] void __throw_domain_error(const char* what) { fatal("std::domain_error", what); }
[[gnu::weak]] void __throw_invalid_argument(const char* what) {
    fatal("std::invalid_argument", what);
}
[[gnu::weak]] void __throw_length_error(const char* what) { fatal("std::length_error", what); }
[[gnu::weak]] void __throw_out_of_range(const char* what) { fatal("std::out_of_range", what); }
[[gnu::weak]] void __throw_out_of_range_fmt(const char* what, ...) {
    fatal("std::out_of_range", what);
}
[[gnu::weak]] void __throw_runtime_error(const char* what) { fatal("std::runtime_error", what); }
[[gnu::weak]] void __throw_range_error(const char* what) { fatal("std::range_error", what); }
[[gnu::weak]] void __throw_overflow_error(const char* what) { fatal("std::overflow_error", what); }
[[gnu::weak]] void __throw_underflow_error(const char* what) {
    fatal("std::underflow_error", what);
}
[[gnu::weak]] void __throw_system_error(int) { fatal("std::system_error"); }
[[gnu::weak]] void __throw_future_error(int) { fatal("std::future_error"); }
[[gnu::weak]] void __throw_ios_failure(const char* what) { fatal("std::ios_failure", what); }
[[gnu::weak]] void __throw_ios_failure(const char* what, int) { fatal("std::ios_failure", what); }

}  // namespace std

// An assertion in the library's own code, as its libc would report it.
extern "C" [[gnu::weak, noreturn]] void __assert_fail(const char* expression, const char*, unsigned,
                                                      const char*) {
    fatal("assertion failed", expression);
}
