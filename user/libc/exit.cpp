// The end of a program by exit: what was registered with atexit and its relatives, what came last
// first; then the destructors of the image, among them the flushing of stdout.
#include <kairos/kairos.h>
#include <kairos/sync.h>
#include <stdlib.h>
#include <unistd.h>

#include <new>

#include "../lib/thread_block.hpp"

namespace {

enum class Kind : uint8_t { Plain, WithStatus, WithObject };

struct Ending {
    Kind kind = Kind::Plain;
    union {
        void (*plain)(void) = nullptr;
        void (*with_status)(int, void*);
        void (*with_object)(void*);
    };
    void* argument = nullptr;
};

// Endings in the order of their registration. The first block is there without malloc.
struct Block {
    static constexpr size_t kRoom = 32;
    Block* previous = nullptr;
    size_t count = 0;
    Ending endings[kRoom] = {};
};

constinit kairos_mutex lock = KAIROS_MUTEX_INIT;
constinit Block first;  // guarded by the lock, as the next
constinit Block* last = &first;

class Locked {
  public:
    Locked() { kairos_mutex_lock(&lock); }
    ~Locked() { kairos_mutex_unlock(&lock); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
};

// Returns 0, or -1 if there is no memory, as atexit does.
int add(const Ending& ending) {
    Locked locked;
    if (last->count == Block::kRoom) {
        void* memory = malloc(sizeof(Block));
        if (memory == nullptr) return -1;
        last = new (memory) Block{.previous = last};
    }
    last->endings[last->count++] = ending;
    return 0;
}

bool take_last(Ending& ending) {
    Locked locked;
    while (last->count == 0 && last->previous != nullptr) {
        Block* empty = last;
        last = empty->previous;
        free(empty);
    }
    if (last->count == 0) return false;
    ending = last->endings[--last->count];
    return true;
}

void run(const Ending& ending, int status) {
    switch (ending.kind) {
        case Kind::Plain:
            ending.plain();
            break;
        case Kind::WithStatus:
            ending.with_status(status, ending.argument);
            break;
        case Kind::WithObject:
            ending.with_object(ending.argument);
            break;
    }
}

}  // namespace

extern "C" {

// From linker/user.ld.
using Destructor = void (*)(void);
[[gnu::visibility("hidden")]] extern const Destructor __fini_array_start[];
[[gnu::visibility("hidden")]] extern const Destructor __fini_array_end[];

int atexit(void (*function)(void)) {
    Ending ending = {.kind = Kind::Plain, .plain = function, .argument = nullptr};
    return add(ending);
}

int on_exit(void (*function)(int, void*), void* argument) {
    Ending ending = {.kind = Kind::WithStatus, .with_status = function, .argument = argument};
    return add(ending);
}

int __cxa_atexit(void (*function)(void*), void* object, void*) {
    Ending ending = {.kind = Kind::WithObject, .with_object = function, .argument = object};
    return add(ending);
}

// Of several threads that exit the first goes through with it, the others wait for the end. What
// exits while it is exiting goes on with what is left.
void exit(int status) {
    static kairos_recursive_mutex exiting = KAIROS_RECURSIVE_MUTEX_INIT;
    kairos_recursive_mutex_lock(&exiting);
    if (auto* block = kairos::internal::current_block()) {
        kairos::internal::run_thread_endings(*block);
    }
    Ending ending;
    while (take_last(ending)) run(ending, status);
    static const Destructor* next = __fini_array_end;
    while (next != __fini_array_start) (*--next)();
    _exit(status);
}

void _exit(int status) { kairos_process_exit(status); }

}  // extern "C"
