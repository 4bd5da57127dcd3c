// The smaller objects: timers, events, interrupts, budgets and resources. Errors are those of the
// calls in <kairos/time.h>, <kairos/system.h> and <kairos/memory.h>.
#pragma once

#include <kairos/handle.hpp>

namespace kairos {

class Timer : public TypedHandle<Timer> {
  public:
    using TypedHandle::TypedHandle;

    [[nodiscard]] static Result<Timer> create() { return make(kairos_timer_create); }
    Result<> set(kairos_time_t deadline, uint64_t period_ns = 0) const {
        return to_result(kairos_timer_set(get(), deadline, period_ns));
    }
    Result<> disarm() const { return set(KAIROS_TIME_INFINITE); }
};

class Event : public TypedHandle<Event> {
  public:
    using TypedHandle::TypedHandle;

    [[nodiscard]] static Result<Event> create() { return make(kairos_event_create); }
};

class Budget : public TypedHandle<Budget> {
  public:
    using TypedHandle::TypedHandle;

    // Out of `parent`, or out of the program's own budget.
    [[nodiscard]] static Result<Budget> create(uint64_t bytes,
                                               kairos_handle_t parent = KAIROS_HANDLE_INVALID) {
        return make([&](kairos_handle_t* out) { return kairos_budget_create(parent, bytes, out); });
    }
    [[nodiscard]] Result<kairos_info_budget> info() const {
        kairos_info_budget info;
        const kairos_status_t status =
            kairos_object_info(get(), KAIROS_INFO_BUDGET, &info, sizeof(info));
        if (status < 0) return failure(status);
        return info;
    }
};

class Resource : public TypedHandle<Resource> {
  public:
    using TypedHandle::TypedHandle;

    // A narrower one; see kairos_resource_create.
    [[nodiscard]] Result<Resource> narrow(uint32_t kind, uint64_t base = 0,
                                          uint64_t size = 0) const {
        return make([&](kairos_handle_t* out) {
            return kairos_resource_create(get(), kind, base, size, out);
        });
    }
};

class Interrupt : public TypedHandle<Interrupt> {
  public:
    using TypedHandle::TypedHandle;

    [[nodiscard]] static Result<Interrupt> create(const Resource& resource, uint32_t line) {
        return make([&](kairos_handle_t* out) {
            return kairos_interrupt_create(resource.get(), line, out);
        });
    }
    Result<> acknowledge() const { return to_result(kairos_interrupt_ack(get())); }
};

}  // namespace kairos
