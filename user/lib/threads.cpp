// Threads with stacks. A thread's stack and block are one mapping. When the thread ends it puts the
// mapping aside as the spare, which the next thread takes; what was the spare before is unmapped.
// So nothing is ever leaked, whether anybody joins or not, and at most one mapping lies idle.
//
//     ending thread                                 spawning thread
//     lock; unmap the old spare; spare = mine
//     unlock and exit, without touching the stack   lock; take the spare; unlock
//
// The stack is another's from the unlocking on, so that is done in assembly (kairos_leave_stack).
#include <kairos/kairos.h>
#include <kairos/sync.h>
#include <kairos/handle.hpp>

#include "stack.hpp"
#include "thread_block.hpp"

using namespace kairos::internal;
using kairos::Handle;

extern "C" {
[[gnu::visibility("hidden")]] void kairos_thread_entry();
[[noreturn, gnu::visibility("hidden")]] void kairos_leave_stack(kairos_mutex* held);
KAIROS_NORETURN void kairos_thread_exit_call(void);
}

namespace {

kairos_mutex spare_lock = KAIROS_MUTEX_INIT;
std::byte* spare = nullptr;  // guarded by spare_lock

// Bytes above the guard page.
size_t mapping_size() {
    const size_t size = KAIROS_STACK_SIZE + thread_block_room();
    return (size + KAIROS_PAGE_SIZE - 1) / KAIROS_PAGE_SIZE * KAIROS_PAGE_SIZE;
}

void unmap(std::byte* mapping) {
    if (mapping != nullptr) unmap_stack(kairos_self_aspace(), mapping, mapping_size());
}

kairos_status_t take_mapping(std::byte** mapping) {
    kairos_mutex_lock(&spare_lock);
    *mapping = spare;
    spare = nullptr;
    kairos_mutex_unlock(&spare_lock);
    if (*mapping != nullptr) return 0;
    return map_stack(kairos_self_aspace(), mapping_size(), mapping);
}

// A mapping that no thread has come to use.
void put_mapping_back(std::byte* mapping) {
    kairos_mutex_lock(&spare_lock);
    std::byte* const surplus = spare;
    spare = mapping;
    kairos_mutex_unlock(&spare_lock);
    unmap(surplus);
}

[[noreturn]] void end_spawned_thread(ThreadBlock& block) {
    kairos_handle_close(block.self, 0);
    std::byte* const mapping = block.mapping;
    kairos_mutex_lock(&spare_lock);
    unmap(spare);
    spare = mapping;
    kairos_leave_stack(&spare_lock);
}

// Makes and starts the kernel's thread for `block`. The new thread has a handle to itself, and
// `*thread` gets another, if it is wanted.
kairos_status_t start(ThreadBlock& block, kairos_handle_t* thread) {
    kairos_handle_t value = KAIROS_HANDLE_INVALID;
    kairos_status_t status = kairos_thread_create(kairos_self_process(), "thread", &value);
    if (status < 0) return status;
    Handle owned(value);
    Handle callers;
    if (thread != nullptr) {
        kairos_handle_t copy = KAIROS_HANDLE_INVALID;
        status = kairos_handle_duplicate(value, KRIGHT_SAME, &copy);
        if (status < 0) return status;
        callers.reset(copy);
    }
    block.self = value;
    status = kairos_thread_start(value, reinterpret_cast<uintptr_t>(kairos_thread_entry),
                                 reinterpret_cast<uintptr_t>(&block),
                                 reinterpret_cast<uintptr_t>(block.thread_pointer()), 0);
    if (status < 0) return status;
    static_cast<void>(owned.release());  // closed by the thread, as it ends
    if (thread != nullptr) *thread = callers.release();
    return 0;
}

}  // namespace

extern "C" {

kairos_status_t kairos_thread_spawn(void (*function)(void*), void* argument,
                                    kairos_handle_t* thread) {
    if (function == nullptr) return -EINVAL;
    std::byte* mapping = nullptr;
    kairos_status_t status = take_mapping(&mapping);
    if (status < 0) return status;
    ThreadBlock* block = make_thread_block({mapping + kGuardSize, mapping_size()});
    block->mapping = mapping;
    block->function = function;
    block->argument = argument;
    status = start(*block, thread);
    if (status < 0) put_mapping_back(mapping);
    return status;
}

// Entered from kairos_thread_entry.
[[noreturn, gnu::visibility("hidden")]] void kairos_run_thread() {
    ThreadBlock* block = current_block();
    block->function(block->argument);
    kairos_thread_exit();
}

void kairos_thread_exit() {
    ThreadBlock* block = current_block();
    if (block != nullptr) {
        run_thread_endings(*block);
        if (block->mapping != nullptr) end_spawned_thread(*block);
    }
    kairos_thread_exit_call();
}

}  // extern "C"
