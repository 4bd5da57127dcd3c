// What the compiler calls for C++ besides operators: static objects that are made when first used,
// thread_local objects with destructors, virtual functions that are not there.
#include <kairos/kairos.h>

#include <cstdlib>

#include "fatal.hpp"
#include "thread_block.hpp"

using namespace kairos::internal;

namespace {

// A guard as the C++ ABI has it: the compiler looks at the first byte; the rest is ours.
struct Guard {
    uint8_t done;
    uint32_t state;  // of making the object: one of these
};
constexpr uint32_t kIdle = 0;
constexpr uint32_t kBusy = 1;
constexpr uint32_t kAwaited = 2;

bool is_done(const Guard& guard) { return __atomic_load_n(&guard.done, __ATOMIC_ACQUIRE) != 0; }

bool replace(uint32_t& state, uint32_t expected, uint32_t desired) {
    return __atomic_compare_exchange_n(&state, &expected, desired, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

void open(Guard& guard) {
    if (__atomic_exchange_n(&guard.state, kIdle, __ATOMIC_RELEASE) == kAwaited) {
        kairos_futex_wake(&guard.state, UINT32_MAX);
    }
}

struct ObjectEnding : ThreadEnding {
    void (*destroy)(void*);
    void* object;

    static void run_one(ThreadEnding* ending) {
        auto* self = static_cast<ObjectEnding*>(ending);
        self->destroy(self->object);
        std::free(self);
    }
};

}  // namespace

extern "C" {

// Whether the caller is to make the object; then it calls release, or abort.
int __cxa_guard_acquire(Guard* guard) {
    while (!is_done(*guard)) {
        if (replace(guard->state, kIdle, kBusy)) {
            if (!is_done(*guard)) return 1;
            open(*guard);
            break;
        }
        replace(guard->state, kBusy, kAwaited);
        kairos_futex_wait(&guard->state, kAwaited, KAIROS_TIME_INFINITE);
    }
    return 0;
}

void __cxa_guard_release(Guard* guard) {
    __atomic_store_n(&guard->done, 1, __ATOMIC_RELEASE);
    open(*guard);
}

void __cxa_guard_abort(Guard* guard) { open(*guard); }

int __cxa_thread_atexit(void (*destroy)(void*), void* object, void*) {
    auto* ending = static_cast<ObjectEnding*>(std::malloc(sizeof(ObjectEnding)));
    if (ending == nullptr) fatal("out of memory for a thread_local object");
    ThreadBlock* block = current_block();
    ending->next = block->endings;
    ending->run = ObjectEnding::run_one;
    ending->destroy = destroy;
    ending->object = object;
    block->endings = ending;
    return 0;
}

[[noreturn]] void __cxa_pure_virtual() { fatal("pure virtual function called"); }
[[noreturn]] void __cxa_deleted_virtual() { fatal("deleted virtual function called"); }

}  // extern "C"
