// A user process of a test: a table of handles, memory that the test sees through pointers of its
// own, and threads whose programs are host functions. Programs make system calls through the
// kernel's table of them, so all that a call does is done: arguments, copies, and the way out.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "abi/syscalls.h"
#include "hosted/harts.h"
#include "process/process.h"

namespace hosted {

enum class Call : uint32_t {
#define KAIROS_NUMBER(name) name,
    KAIROS_SYSCALLS(KAIROS_NUMBER)
#undef KAIROS_NUMBER
};

// A call of the thread that runs: its result as a program gets it in a0. Interrupts come before it,
// and teardown, switching or the thread's end after it.
int64_t system_call(Call call, const uint64_t (&registers)[6]);

template <typename... Arguments>
int64_t sys(Call call, Arguments... arguments) {
    return system_call(call, {static_cast<uint64_t>(arguments)...});
}

// Whether the thread that runs is doing its program's work, rather than beginning or ending.
bool at_work();

class Program {
  public:
    static constexpr VirtualAddress kArea{0x1000'0000};
    static constexpr uint64_t kAreaPages = 64;

    explicit Program(Budget& budget, const char* name = "program");
    // Kills it, and waits for its end.
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    Process& process() const { return *process_; }
    HandleTable& handles() const { return process_->handles(); }
    Budget& budget() const { return process_->budget(); }

    // A value of the program's, in memory that is its own until the program ends. Begins zeroed.
    template <typename T>
    T& make() {
        return *new (allocate(sizeof(T), alignof(T))) T{};
    }
    uint8_t* make_bytes(uint64_t size) { return static_cast<uint8_t*>(allocate(size, 16)); }
    // Where the program sees what the test made.
    uint64_t address(const void* made) const;
    // All that was made is free to be made anew.
    void forget_memory() { used_ = 0; }

    // The test does as if it were a thread of the program, which must not block.
    template <typename Work>
    auto as_driver(Work work) {
        const Enter enter(*driver_);
        return work();
    }
    template <typename... Arguments>
    int64_t call(Call number, Arguments... arguments) {
        return as_driver([&] { return sys(number, arguments...); });
    }

    // A thread that does `work` and then sleeps until the program ends. It stays on one hart, and
    // runs in run_harts.
    struct Task {
        std::function<void()> work;
        Ref<Thread> thread;
        bool done = false;
    };
    Task& start(HartIndex hart, std::function<void()> work);
    Task& task(size_t number) { return tasks_[number]; }

    // A first handle of this program to an object.
    template <typename T>
    HandleValue give(T& object, Rights rights = T::kInitialRights) {
        return handles().insert(OwnedCap::create_root(object, rights, budget()).take()).take();
    }

  private:
    class Enter {
      public:
        explicit Enter(Thread& thread);
        ~Enter();

      private:
        Thread* before_;
    };

    void* allocate(uint64_t size, uint64_t alignment);
    static void main(uint64_t task, uint64_t);
    static void first_main(uint64_t, uint64_t task);

    Ref<Process> process_;
    Ref<MemoryObject> memory_;
    Ref<Thread> driver_;
    uint8_t* area_ = nullptr;
    uint64_t used_ = 0;
    std::deque<Task> tasks_;
    bool started_ = false;
};

}  // namespace hosted
