// A fiber: a stack that runs when it is switched to, and keeps its place otherwise. Fibers are kept
// and used again, because what runs on one may end by never being switched to again.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>

namespace hosted {

class Fiber {
  public:
    // One that begins with `entry`, which does not return.
    static Fiber& take(std::function<void()> entry);
    // One that stands for the stack that runs now and keeps its place when it is left.
    static Fiber& take_for_this_stack();
    // Nothing on its stack is needed any more, and it does not run.
    static void give_back(Fiber& fiber);

    // Leaves `from`, which runs, for `to`; returns when `from` is switched to again.
    static void change(Fiber& from, Fiber& to);

    Fiber() = default;
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

  private:
    static void run();
    static void leave(Fiber& from, Fiber& to);
    static void arrive(Fiber& self);
    void prepare(std::function<void()> entry);

    static thread_local Fiber* coming_from;
    static thread_local Fiber* arriving;

    std::function<void()> entry_;
    void* stack_ = nullptr;
    const void* bottom_ = nullptr;
    size_t size_ = 0;
    void* fake_stack_ = nullptr;
    ucontext_t context_{};
};

}  // namespace hosted
