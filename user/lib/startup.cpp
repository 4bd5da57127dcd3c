// From the entry of a program to its main. The spawner is trusted with nothing but the program's
// life: whatever the messages hold, only what lies inside them is read.
#include <alloca.h>
#include <kairos/kairos.h>
#include <stdlib.h>

#include <cstring>
#include <span>

#include "../libc/streams.hpp"
#include "image.hpp"
#include "program.hpp"
#include "thread_block.hpp"

extern "C" {
int program_main(int argc, char** argv, char** environment) __asm__("main");
extern char** environ;

// From linker/user.ld.
using Constructor = void (*)(int, char**, char**);
[[gnu::visibility("hidden")]] extern const Constructor __preinit_array_start[];
[[gnu::visibility("hidden")]] extern const Constructor __preinit_array_end[];
[[gnu::visibility("hidden")]] extern const Constructor __init_array_start[];
[[gnu::visibility("hidden")]] extern const Constructor __init_array_end[];
}

namespace kairos::internal {

namespace {

constexpr int64_t kBadStart = -EINVAL;  // the exit code of a program that cannot be started

// The first message: its bytes, and the handles that came with it.
struct FirstMessage {
    char* bytes;
    uint32_t size;
    kairos_handle_t handles[KCHANNEL_MAX_MSG_HANDLES];
    uint32_t handle_count;
};

// How many bytes the first message has; 0 if there is none.
uint32_t size_of_first(kairos_handle_t channel) {
    kairos_channel_msg probe = {};
    const kairos_status_t status = kairos_channel_recv(channel, &probe, 0, KAIROS_TIME_INFINITE);
    return status == -EMSGSIZE ? probe.num_bytes : 0;
}

bool receive(kairos_handle_t channel, FirstMessage& first) {
    kairos_channel_msg message = {.bytes = first.bytes,
                                  .handles = first.handles,
                                  .num_bytes = first.size,
                                  .num_handles = KCHANNEL_MAX_MSG_HANDLES,
                                  .txid = 0};
    if (kairos_channel_recv(channel, &message, 0, KAIROS_TIME_INFINITE) != 1) return false;
    first.handle_count = message.num_handles;
    return true;
}

// The message taken apart.
struct Parts {
    kairos_startup startup;
    const char* places;  // handle_count numbers, perhaps not aligned
    char* strings;       // the last of them ends with the message

    uint32_t place(uint32_t index) const {
        uint32_t which;
        std::memcpy(&which, places + index * sizeof(which), sizeof(which));
        return which;
    }
};

bool take_apart(const FirstMessage& first, Parts& parts) {
    if (first.size < sizeof(parts.startup)) return false;
    std::memcpy(&parts.startup, first.bytes, sizeof(parts.startup));
    const kairos_startup& startup = parts.startup;
    const uint64_t place_bytes = uint64_t{startup.handle_count} * sizeof(uint32_t);
    parts.places = first.bytes + sizeof(startup);
    parts.strings = first.bytes + sizeof(startup) + place_bytes;
    return startup.magic == KAIROS_STARTUP_MAGIC &&
           sizeof(startup) + place_bytes + startup.string_bytes == first.size &&
           startup.argc <= startup.string_bytes &&
           (startup.string_bytes == 0 || first.bytes[first.size - 1] == 0);
}

// Puts all handles into their places: those of the first message, then those that follow.
bool take_handles(kairos_handle_t channel, const FirstMessage& first, const Parts& parts) {
    uint32_t taken = 0;
    for (uint32_t i = 0; i < first.handle_count && taken < parts.startup.handle_count; ++i) {
        set_bootstrap(parts.place(taken++), first.handles[i]);
    }
    while (taken < parts.startup.handle_count) {
        kairos_handle_t handles[KCHANNEL_MAX_MSG_HANDLES];
        kairos_channel_msg message = {.bytes = nullptr,
                                      .handles = handles,
                                      .num_bytes = 0,
                                      .num_handles = KCHANNEL_MAX_MSG_HANDLES,
                                      .txid = 0};
        if (kairos_channel_recv(channel, &message, 0, KAIROS_TIME_INFINITE) != 1) return false;
        for (uint32_t i = 0; i < message.num_handles && taken < parts.startup.handle_count; ++i) {
            set_bootstrap(parts.place(taken++), handles[i]);
        }
    }
    return true;
}

// Points `argv`, which has room for argc + 1, to the strings. False if there are fewer.
bool find_arguments(const Parts& parts, char** argv) {
    char* at = parts.strings;
    char* const end = at + parts.startup.string_bytes;
    for (uint32_t i = 0; i < parts.startup.argc; ++i) {
        if (at == end) return false;
        argv[i] = at;
        at += std::strlen(at) + 1;
    }
    argv[parts.startup.argc] = nullptr;
    return true;
}

// The linker makes it end on a page, and begin on the first page of the data.
void protect_relro() {
    const std::span<std::byte> relro = own_relro();
    if (relro.empty()) return;
    const auto begin = reinterpret_cast<uintptr_t>(relro.data()) & ~uintptr_t{KAIROS_PAGE_SIZE - 1};
    const auto end = reinterpret_cast<uintptr_t>(relro.data() + relro.size());
    // Without the memory to note it down the program runs as well, only less protected.
    kairos_protect(kairos_self_aspace(), reinterpret_cast<void*>(begin), end - begin, KPROT_READ);
}

void run_constructors(const Constructor* begin, const Constructor* end, int argc, char** argv) {
    for (; begin != end; ++begin) (*begin)(argc, argv, environ);
}

[[noreturn]] void run_program(const Parts& parts, char** argv) {
    set_program(parts.startup);
    open_standard_streams();
    protect_relro();
    const int argc = static_cast<int>(parts.startup.argc);
    run_constructors(__preinit_array_start, __preinit_array_end, argc, argv);
    run_constructors(__init_array_start, __init_array_end, argc, argv);
    exit(program_main(argc, argv, environ));
}

void set_thread_pointer(ThreadBlock& block) {
    asm volatile("mv tp, %0" : : "r"(block.thread_pointer()) : "memory");
}

}  // namespace

}  // namespace kairos::internal

using namespace kairos::internal;

// Entered from _start. The message, argv and the first thread's block stay on this frame for the
// program's whole life.
extern "C" [[noreturn, gnu::visibility("hidden")]] void kairos_start_program(
    kairos_handle_t channel) {
    const size_t room = thread_block_room();
    ThreadBlock* block = make_thread_block({static_cast<std::byte*>(alloca(room)), room});
    set_thread_pointer(*block);

    FirstMessage first;
    Parts parts;
    first.size = size_of_first(channel);
    first.bytes = static_cast<char*>(alloca(first.size));
    if (first.size == 0 || !receive(channel, first) || !take_apart(first, parts)) {
        kairos_process_exit(kBadStart);
    }
    char** argv = static_cast<char**>(alloca((parts.startup.argc + 1) * sizeof(char*)));
    if (!find_arguments(parts, argv) || !take_handles(channel, first, parts)) {
        kairos_process_exit(kBadStart);
    }
    kairos_handle_close(channel, 0);
    block->self = get_bootstrap(KAIROS_BOOT_SELF_THREAD);
    run_program(parts, argv);
}
