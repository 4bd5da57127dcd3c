// What a thread has in user mode besides its stack:
//
//     | ThreadBlock | thread-local storage |
//     ^             ^ tp
//
// tp points between the two, as the RISC-V psABI wants it. A thread that was made with the bare
// kernel calls has tp 0 and none of this: no errno, no thread_local, no kairos_self_thread.
#pragma once

#include <kairos/base.h>

#include <cstddef>
#include <span>

namespace kairos::internal {

// Something to be done when the thread ends. `run` is called once, with the record itself, which it
// may free.
struct ThreadEnding {
    ThreadEnding* next;
    void (*run)(ThreadEnding*);
};

struct alignas(16) ThreadBlock {
    std::byte* mapping = nullptr;  // stack and block of a spawned thread; null for the first
    kairos_handle_t self = KAIROS_HANDLE_INVALID;
    void (*function)(void*) = nullptr;
    void* argument = nullptr;
    ThreadEnding* endings = nullptr;  // what came last is done first

    void* thread_pointer() { return this + 1; }
};

// Bytes that make_thread_block needs, wherever they begin: a multiple of 16.
size_t thread_block_room();

// Makes a block with fresh thread-local storage at the end of `room`, whose end is on a multiple of
// 16. The bytes below the block, which begins on such a multiple, are free for the stack.
ThreadBlock* make_thread_block(std::span<std::byte> room);

// The calling thread's; null if it has none.
inline ThreadBlock* current_block() {
    std::byte* tp;
    asm("mv %0, tp" : "=r"(tp));
    return tp == nullptr ? nullptr : reinterpret_cast<ThreadBlock*>(tp) - 1;
}

// Does what is to be done when the calling thread ends, also what comes up meanwhile.
void run_thread_endings(ThreadBlock& block);

}  // namespace kairos::internal
