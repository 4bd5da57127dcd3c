// Interrupt: an external interrupt line as an object. The line is masked until a driver
// acknowledges for the first time, and again from each interrupt until the next acknowledgement,
// so a driver that does not answer costs nobody else anything.
#pragma once

#include "object/object_storage.h"

class Interrupt final : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kInterrupt;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_WAIT | KRIGHT_MANAGE};

    // -EINVAL: no such line; -EBUSY: somebody has it; -EDQUOT, -ENOMEM.
    static Result<Ref<Interrupt>> create(Budget& budget, uint64_t line);

    // Forgets what was raised, and lets the line interrupt again.
    void acknowledge();

    // Serves what interrupts this hart now.
    static void on_external();

    uint32_t readiness() const override { return raised_ ? KAIROS_POLLIN : 0; }
    uint32_t raisable_signals() const override { return KPORT_BIND_INTERRUPT; }
    uint32_t holding_signals() const override { return raised_ ? KPORT_BIND_INTERRUPT : 0; }

  private:
    template <typename T>
    friend class ObjectStorage;

    explicit Interrupt(uint32_t line) : Object(kType, nullptr), line_(line) {}
    bool on_unowned() override;
    void free_memory() override { ObjectStorage<Interrupt>::free(*this); }

    const uint32_t line_;
    bool raised_ = false;  // guarded by the guard; once closed, the line stays masked
};
