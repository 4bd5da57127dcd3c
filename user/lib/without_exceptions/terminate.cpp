// In the place of the compiler's exception library, for programs that are linked without
// -fexceptions: whatever would throw ends the program. A library of its own, so that it does not
// stand before the real one where that is wanted. Weak, as single parts of that may come along.
#include "../fatal.hpp"

using kairos::internal::fatal;

namespace std {
[[gnu::weak, noreturn]] void terminate() noexcept { fatal("std::terminate"); }
}  // namespace std

extern "C" {

#define WITHOUT_EXCEPTIONS(name)                                               \
    [[gnu::weak, noreturn]] void name() {                                      \
        fatal("an exception in a program linked without -fexceptions", #name); \
    }

WITHOUT_EXCEPTIONS(__cxa_allocate_exception)
WITHOUT_EXCEPTIONS(__cxa_free_exception)
WITHOUT_EXCEPTIONS(__cxa_throw)
WITHOUT_EXCEPTIONS(__cxa_rethrow)
WITHOUT_EXCEPTIONS(__cxa_begin_catch)
WITHOUT_EXCEPTIONS(__cxa_end_catch)
WITHOUT_EXCEPTIONS(__cxa_get_exception_ptr)
WITHOUT_EXCEPTIONS(__cxa_call_unexpected)
WITHOUT_EXCEPTIONS(__cxa_call_terminate)
WITHOUT_EXCEPTIONS(__cxa_bad_cast)
WITHOUT_EXCEPTIONS(__cxa_bad_typeid)
WITHOUT_EXCEPTIONS(__cxa_throw_bad_array_new_length)
WITHOUT_EXCEPTIONS(__gxx_personality_v0)
WITHOUT_EXCEPTIONS(_Unwind_Resume)

}  // extern "C"
