// How objects of one type come into being and go: charged, allocated, constructed, registered; and
// the way back.
#pragma once

#include <new>
#include <utility>

#include "mm/object_cache.h"
#include "object/budget.h"
#include "object/registry.h"

template <typename T>
class ObjectStorage {
  public:
    // A live object with one reference, charged to `budget`. -EDQUOT, -ENOMEM.
    template <typename... Arguments>
    static Result<Ref<T>> create(Budget& budget, Arguments&&... arguments) {
        TRY(budget.take(sizeof(T)));
        void* cell = cache_.allocate();
        if (cell == nullptr) {
            budget.put(sizeof(T));
            return Fail(Error::NOMEM);
        }
        T& object = *new (cell) T(std::forward<Arguments>(arguments)...);
        budget.retain();
        object.charged_budget_ = &budget;
        object.charged_bytes_ = sizeof(T);
        ObjectRegistry::add(object);
        return Ref<T>(object, kAdoptReference);
    }

    // What T::free_memory does.
    static void free(T& object) {
        object.~T();
        cache_.free(&object);
    }

  private:
    static inline constinit mm::ObjectCache<T> cache_{};
};
