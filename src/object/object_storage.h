// How objects of one type come into being and go: charged, allocated, constructed, registered; and
// the way back. The object's history is allocated and charged with it.
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
        TRY(budget.take(kBytes));
        void* cell = cache_.allocate();
        ObjectHistory* history = cell == nullptr ? nullptr : ObjectHistory::allocate();
        if (history == nullptr) {
            if (cell != nullptr) cache_.free(cell);
            budget.put(kBytes);
            return Fail(Error::NOMEM);
        }
        T& object = *new (cell) T(std::forward<Arguments>(arguments)...);
        budget.retain();
        object.charged_budget_ = &budget;
        object.charged_bytes_ = kBytes;
        object.history_ = history;
        history->record(ReferenceEvent::kInit, 1);
        ObjectRegistry::add(object);
        return Ref<T>(object, kAdoptReference);
    }

    // What T::free_memory does.
    static void free(T& object) {
        ObjectHistory::free(object.history_);
        object.~T();
        cache_.free(&object);
    }

  private:
    static constexpr uint64_t kBytes = sizeof(T) + sizeof(ObjectHistory);
    static inline constinit mm::ObjectCache<T> cache_{};
};
