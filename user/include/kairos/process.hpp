// Processes and threads. Errors are those of the calls in <kairos/sdk.h> and <kairos/process.h>.
#pragma once

#include <kairos/handle.hpp>

#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace kairos {

class Process : public TypedHandle<Process> {
  public:
    using TypedHandle::TypedHandle;

    // Starts a program (see kairos_spawn). The handles of `give` are the child's after success and
    // the caller's, who gave plain values, after failure.
    [[nodiscard]] static Result<Process> spawn(const char* path, char* const arguments[],
                                               std::span<const kairos_spawn_handle> give = {},
                                               kairos_handle_t budget = KAIROS_HANDLE_INVALID) {
        return make([&](kairos_handle_t* out) {
            return kairos_spawn_in(budget, path, arguments, give.data(), give.size(), out);
        });
    }

    // Waits for its end; the exit code.
    Result<int64_t> wait_for_end(kairos_time_t deadline = KAIROS_TIME_INFINITE) const {
        int64_t code = 0;
        const kairos_status_t status = kairos_process_wait(get(), deadline, &code);
        if (status < 0) return failure(status);
        return code;
    }
    Result<> kill(int64_t code) const { return to_result(kairos_process_kill(get(), code)); }

    [[nodiscard]] Result<kairos_info_process> info() const {
        kairos_info_process info;
        const kairos_status_t status =
            kairos_object_info(get(), KAIROS_INFO_PROCESS, &info, sizeof(info));
        if (status < 0) return failure(status);
        return info;
    }
};

class Thread : public TypedHandle<Thread> {
  public:
    using TypedHandle::TypedHandle;

    // Runs `function()` in a new thread. What it refers to must live until it has ended: nothing
    // waits for it but join.
    template <typename Function>
    requires std::is_invocable_v<Function&>
    [[nodiscard]] static Result<Thread> spawn(Function function) {
        std::unique_ptr<Function> owned(new (std::nothrow) Function(std::move(function)));
        if (!owned) return std::unexpected(Error::NOMEM);
        auto run = [](void* argument) {
            std::unique_ptr<Function> mine(static_cast<Function*>(argument));
            (*mine)();
        };
        auto thread =
            make([&](kairos_handle_t* out) { return kairos_thread_spawn(run, owned.get(), out); });
        if (thread) static_cast<void>(owned.release());
        return thread;
    }

    Result<> join(kairos_time_t deadline = KAIROS_TIME_INFINITE) const {
        return to_result(kairos_thread_join(get(), deadline));
    }
    Result<> interrupt() const { return to_result(kairos_thread_interrupt(get())); }
    Result<> set_affinity(uint64_t hart_mask) const {
        return to_result(kairos_thread_set_affinity(get(), hart_mask));
    }
    Result<> set_priority(uint32_t priority) const {
        return to_result(kairos_thread_set_priority(get(), priority));
    }
};

}  // namespace kairos
