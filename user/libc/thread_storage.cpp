// Thread-specific storage of C11: a table of keys, and values in each thread that uses them.
#include <kairos/sync.h>
#include <threads.h>

#include "../lib/thread_block.hpp"

namespace {

using kairos::internal::ThreadEnding;

constexpr tss_t kKeys = 64;

struct Key {
    bool used;
    tss_dtor_t destroy;
    uint32_t generation;  // counts the users of this place, so that old values are not theirs
};

struct Value {
    void* value;
    uint32_t generation;
};

struct Values {
    ThreadEnding ending;
    bool registered;
    Value values[kKeys];
};

constinit kairos_mutex lock = KAIROS_MUTEX_INIT;
constinit Key keys[kKeys] = {};  // changed with the lock
thread_local constinit Values own = {};

Value& own_value(tss_t key) {
    Value& value = own.values[key];
    if (value.generation != keys[key].generation) {
        value = {.value = nullptr, .generation = keys[key].generation};
    }
    return value;
}

// Destroys what there is; whether there was anything.
bool destroy_values() {
    bool any = false;
    for (tss_t key = 0; key < kKeys; ++key) {
        void* const value = own_value(key).value;
        const tss_dtor_t destroy = keys[key].destroy;
        if (value == nullptr || destroy == nullptr) continue;
        own_value(key).value = nullptr;
        destroy(value);
        any = true;
    }
    return any;
}

void at_thread_end(ThreadEnding*) {
    own.registered = false;
    for (int i = 0; i < TSS_DTOR_ITERATIONS && destroy_values(); ++i) {}
}

void register_ending() {
    if (own.registered) return;
    auto* block = kairos::internal::current_block();
    own.ending = {.next = block->endings, .run = at_thread_end};
    block->endings = &own.ending;
    own.registered = true;
}

}  // namespace

extern "C" {

int tss_create(tss_t* out, tss_dtor_t destroy) {
    int result = thrd_error;
    kairos_mutex_lock(&lock);
    for (tss_t key = 0; key < kKeys && result != thrd_success; ++key) {
        if (keys[key].used) continue;
        keys[key] = {.used = true, .destroy = destroy, .generation = keys[key].generation + 1};
        *out = key;
        result = thrd_success;
    }
    kairos_mutex_unlock(&lock);
    return result;
}

void tss_delete(tss_t key) {
    kairos_mutex_lock(&lock);
    keys[key].used = false;
    keys[key].destroy = nullptr;
    ++keys[key].generation;
    kairos_mutex_unlock(&lock);
}

void* tss_get(tss_t key) { return own_value(key).value; }

int tss_set(tss_t key, void* value) {
    own_value(key).value = value;
    if (value != nullptr) register_ending();
    return thrd_success;
}

}  // extern "C"
