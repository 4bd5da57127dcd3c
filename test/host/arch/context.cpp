// Contexts as fibers. A context goes on in whatever host thread switches to it, so nothing on the
// way may remember which hart it was on.
#include "arch/context.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <cstdlib>
#include <functional>
#include <utility>

#include "arch/hart.h"
#include "arch/paging.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace hosted {

class Fiber {
  public:
    // One for the host thread's own stack, to be switched away from first.
    Fiber() = default;
    explicit Fiber(std::function<void()> entry) : entry_(std::move(entry)) {
        stack_ =
            mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack_ == MAP_FAILED) std::abort();
        bottom_ = stack_;
        size_ = kStackBytes;
        getcontext(&context_);
        context_.uc_stack.ss_sp = stack_;
        context_.uc_stack.ss_size = kStackBytes;
        makecontext(&context_, run, 0);
    }
    ~Fiber() {
        if (stack_ != nullptr) munmap(stack_, kStackBytes);
    }

    static void change(Fiber& from, Fiber& to) {
        coming_from = &from;
        arriving = &to;
        leave(from, to);
        swapcontext(&from.context_, &to.context_);
        arrive(from);
    }

  private:
    static constexpr size_t kStackBytes = 256 * 1024;

    static void run() {
        Fiber& self = *arriving;
        arrive(self);
        self.entry_();
        std::abort();  // contexts end by being switched away from
    }

#if defined(__SANITIZE_ADDRESS__)
    static void leave(Fiber& from, Fiber& to) {
        __sanitizer_start_switch_fiber(&from.fake_stack_, to.bottom_, to.size_);
    }
    static void arrive(Fiber& self) {
        __sanitizer_finish_switch_fiber(self.fake_stack_, &coming_from->bottom_,
                                        &coming_from->size_);
    }
#else
    static void leave(Fiber&, Fiber&) {}
    static void arrive(Fiber&) {}
#endif

    static thread_local Fiber* coming_from;
    static thread_local Fiber* arriving;

    std::function<void()> entry_;
    void* stack_ = nullptr;
    const void* bottom_ = nullptr;
    size_t size_ = 0;
    void* fake_stack_ = nullptr;
    ucontext_t context_{};
};

thread_local Fiber* Fiber::coming_from = nullptr;
thread_local Fiber* Fiber::arriving = nullptr;

}  // namespace hosted

namespace arch {

ThreadContext::ThreadContext() = default;
ThreadContext::~ThreadContext() = default;

void prepare_kernel_context(ThreadContext& context, void*, void (*entry)(void*), void* argument) {
    context.fiber = std::make_unique<hosted::Fiber>([=] { entry(argument); });
}

void prepare_user_context(ThreadContext& context, void*, const PageTable& table,
                          void (*first)(void*), void* argument, VirtualAddress pc, VirtualAddress,
                          uint64_t a0, uint64_t a1) {
    context.satp = table.satp();
    context.space_harts = &table.harts();
    context.fiber = std::make_unique<hosted::Fiber>([=] {
        first(argument);
        reinterpret_cast<void (*)(uint64_t, uint64_t)>(pc.value)(a0, a1);
    });
}

void switch_context(ThreadContext& from, ThreadContext& to) {
    HartBlock* block = hart_block();
    block->current = &to;
    block->satp = to.satp;
    if (to.space_harts != nullptr) to.space_harts->fetch_or(block->bit);
    if (from.fiber == nullptr) from.fiber = std::make_unique<hosted::Fiber>();
    hosted::Fiber::change(*from.fiber, *to.fiber);
}

void leave_address_space(ThreadContext& current) {
    current.satp = 0;
    current.space_harts = nullptr;
    hart_block()->satp = 0;
}

void drop_fpu(ThreadContext&) {}

}  // namespace arch
