// Event: an object that has nothing but user signals (Object::signal). For notification between
// threads and processes through a port or object_wait.
#pragma once

#include "object/object_storage.h"

class Event final : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kEvent;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_TRANSFER | KRIGHT_DUPLICATE |
                                           KRIGHT_WAIT | KRIGHT_SIGNAL};

    // -EDQUOT, -ENOMEM.
    static Result<Ref<Event>> create(Budget& budget) {
        return ObjectStorage<Event>::create(budget);
    }

    // Readable while any user signal is set.
    uint32_t readiness() const override { return user_signals_ != 0 ? KAIROS_POLLIN : 0; }
    uint32_t raisable_signals() const override { return KPORT_BIND_USER; }

  private:
    template <typename T>
    friend class ObjectStorage;

    Event() : Object(kType, nullptr) {}
    void free_memory() override { ObjectStorage<Event>::free(*this); }
};
