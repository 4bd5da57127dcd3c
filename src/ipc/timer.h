// Timer: raises KPORT_BIND_TIMER at a deadline, and then, if periodic, at every multiple of its
// period after it. Periods do not drift, and those that pass faster than interrupts can serve are
// counted in one event, so no period, however short, keeps a hart busy.
#pragma once

#include "object/object_storage.h"
#include "wait/deadline.h"

class Timer final : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kTimer;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_WAIT | KRIGHT_MANAGE |
                                           KRIGHT_SIGNAL};

    // -EDQUOT, -ENOMEM.
    static Result<Ref<Timer>> create(Budget& budget) {
        return ObjectStorage<Timer>::create(budget);
    }

    // Arms it anew; Instant::never() disarms. What had expired is forgotten.
    void set(Instant deadline, uint64_t period_ns);

    uint32_t readiness() const override { return expired_ ? KAIROS_POLLIN : 0; }
    uint32_t raisable_signals() const override { return KPORT_BIND_TIMER | KPORT_BIND_USER; }
    uint32_t holding_signals() const override {
        return user_signals_ | (expired_ ? KPORT_BIND_TIMER : 0);
    }

    // Raises what has come due on this hart; after DeadlineQueue::fire_due, without a lock.
    static void raise_due();

  private:
    template <typename T>
    friend class ObjectStorage;

    class Alarm final : public Deadline {
      public:
        explicit Alarm(Timer& timer) : timer_(timer) {}

      private:
        void expire() override;
        Timer& timer_;
    };

    Timer() : Object(kType, nullptr), alarm_(*this) {}
    bool on_unowned() override;
    void free_memory() override { ObjectStorage<Timer>::free(*this); }
    void came_due();

    Alarm alarm_;
    AtomicFlag in_due_list_;
    Timer* next_due_ = nullptr;  // on the hart whose timer fired
    // Guarded by the guard.
    bool expired_ = false;
    bool armed_ = false;  // a deadline is set and its event not yet raised
    Instant next_ = Instant::never();
    uint64_t period_ = 0;
};
