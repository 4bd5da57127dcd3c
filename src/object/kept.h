// Kept<T>: a reference to an object that another object keeps. Unlike a Ref, which a call holds
// while it runs, it is an event of the object's history.
#pragma once

#include <utility>

#include "base/ref.h"
#include "object/object.h"

template <typename T>
class Kept {
  public:
    Kept() = default;
    Kept(std::nullptr_t) {}
    Kept(Ref<T> reference) : object_(reference.leak()) {
        if (object_ != nullptr) object_->note_kept();
    }
    Kept(Kept&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Kept& operator=(Kept&& other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    Kept& operator=(std::nullptr_t) {
        if (T* object = std::exchange(object_, nullptr)) object->unkeep();
        return *this;
    }
    ~Kept() { *this = nullptr; }

    explicit operator bool() const { return object_ != nullptr; }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_; }
    T* get() const { return object_; }

  private:
    T* object_ = nullptr;
};
