// What the compiler's exception library asks of a system, for programs that are compiled and linked
// with -fexceptions. The library was made for another libc: the layouts are as it knows them.
#include <kairos/sync.h>

#include <cstdint>

#include "image.hpp"

namespace {

// __cxa_eh_globals of the C++ ABI.
struct Exceptions {
    void* caught = nullptr;
    unsigned uncaught = 0;
};
thread_local constinit Exceptions exceptions;

// struct dl_find_object: where the code at an address comes from.
struct FoundObject {
    unsigned long long flags;
    void* begin;
    void* end;
    void* link_map;
    void* frame_index;
    unsigned long long reserved[7];
};

}  // namespace

extern "C" {

Exceptions* __cxa_get_globals() { return &exceptions; }
Exceptions* __cxa_get_globals_fast() { return &exceptions; }

// Returns 0, or -1 if the address is not code of this program.
int _dl_find_object(void* address, FoundObject* found) {
    const auto range = kairos::internal::own_range();
    const auto index = kairos::internal::own_frame_index();
    const auto offset =
        reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(range.data());
    if (offset >= range.size() || index.empty()) return -1;
    *found = {};
    found->begin = range.data();
    found->end = range.data() + range.size();
    found->frame_index = index.data();
    return 0;
}

// Around the memory that is kept for exceptions; their mutex is larger, and begins with zeros too.
[[gnu::weak]] int pthread_mutex_lock(kairos_mutex* mutex) {
    kairos_mutex_lock(mutex);
    return 0;
}
[[gnu::weak]] int pthread_mutex_unlock(kairos_mutex* mutex) {
    kairos_mutex_unlock(mutex);
    return 0;
}

}  // extern "C"
