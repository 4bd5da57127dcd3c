#include "hosted/fiber.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace hosted {

namespace {
constexpr size_t kStackBytes = 256 * 1024;

struct Pool {
    std::mutex lock;
    std::deque<Fiber> all;  // guarded by the lock, as the two below
    std::vector<Fiber*> with_stack;
    std::vector<Fiber*> without;

    Fiber& take(std::vector<Fiber*>& from) {
        const std::lock_guard guard(lock);
        if (from.empty()) return all.emplace_back();
        Fiber& fiber = *from.back();
        from.pop_back();
        return fiber;
    }
};

Pool& pool() {
    static Pool pool;
    return pool;
}
}  // namespace

thread_local Fiber* Fiber::coming_from = nullptr;
thread_local Fiber* Fiber::arriving = nullptr;

Fiber& Fiber::take(std::function<void()> entry) {
    Fiber& fiber = pool().take(pool().with_stack);
    fiber.prepare(std::move(entry));
    return fiber;
}

Fiber& Fiber::take_for_this_stack() { return pool().take(pool().without); }

void Fiber::give_back(Fiber& fiber) {
    fiber.entry_ = nullptr;
#if defined(__SANITIZE_ADDRESS__)
    // What was called there has not returned, so the borders of its variables are still marked.
    if (fiber.stack_ != nullptr) __asan_unpoison_memory_region(fiber.stack_, kStackBytes);
#endif
    const std::lock_guard guard(pool().lock);
    (fiber.stack_ == nullptr ? pool().without : pool().with_stack).push_back(&fiber);
}

void Fiber::prepare(std::function<void()> entry) {
    entry_ = std::move(entry);
    if (stack_ == nullptr) {
        stack_ =
            mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack_ == MAP_FAILED) std::abort();
    }
    bottom_ = stack_;
    size_ = kStackBytes;
    fake_stack_ = nullptr;
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_;
    context_.uc_stack.ss_size = kStackBytes;
    makecontext(&context_, run, 0);
}

void Fiber::change(Fiber& from, Fiber& to) {
    coming_from = &from;
    arriving = &to;
    leave(from, to);
    swapcontext(&from.context_, &to.context_);
    arrive(from);
}

void Fiber::run() {
    Fiber& self = *arriving;
    arrive(self);
    try {
        self.entry_();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "panic on a fiber: %s\n", problem.what());
    }
    std::abort();  // fibers end by being switched away from
}

#if defined(__SANITIZE_ADDRESS__)
void Fiber::leave(Fiber& from, Fiber& to) {
    __sanitizer_start_switch_fiber(&from.fake_stack_, to.bottom_, to.size_);
}
void Fiber::arrive(Fiber& self) {
    __sanitizer_finish_switch_fiber(self.fake_stack_, &coming_from->bottom_, &coming_from->size_);
}
#else
void Fiber::leave(Fiber&, Fiber&) {}
void Fiber::arrive(Fiber&) {}
#endif

}  // namespace hosted
