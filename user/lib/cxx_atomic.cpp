// Reference counts of std::shared_ptr and others. The compiler's library, made for machines that
// may lack the instructions, takes a mutex for them.
#include <ext/atomicity.h>

namespace __gnu_cxx {

[[gnu::weak]] _Atomic_word __exchange_and_add(volatile _Atomic_word* word, int value) noexcept {
    return __atomic_fetch_add(word, value, __ATOMIC_ACQ_REL);
}

[[gnu::weak]] void __atomic_add(volatile _Atomic_word* word, int value) noexcept {
    __atomic_fetch_add(word, value, __ATOMIC_ACQ_REL);
}

}  // namespace __gnu_cxx

// Whether counting can do without atomic instructions: never taken for granted.
extern "C" {
[[gnu::weak]] char __libc_single_threaded = 0;
}
