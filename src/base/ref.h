// Ref<T>: one counted reference. T offers retain() and release(); release() of the last one may
// destroy the object, so a Ref is never dropped while a lock is held that the destruction needs.
#pragma once

#include <concepts>
#include <cstddef>
#include <utility>

struct AdoptReference {};
inline constexpr AdoptReference kAdoptReference{};

template <typename T>
class Ref {
  public:
    Ref() = default;
    Ref(std::nullptr_t) {}
    // Takes over a reference that is already counted.
    Ref(T& object, AdoptReference) : object_(&object) {}
    // Counts a new one; the caller already has some claim to the object.
    explicit Ref(T& object) : object_(&object) { object.retain(); }
    Ref(const Ref& other) : object_(other.object_) {
        if (object_ != nullptr) object_->retain();
    }
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    template <typename U>
    requires std::derived_from<U, T> Ref(Ref<U>&& other) : object_(other.leak()) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() {
        if (object_ != nullptr) object_->release();
    }

    explicit operator bool() const { return object_ != nullptr; }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_; }
    T* get() const { return object_; }
    // Gives the counted reference away without dropping it.
    [[nodiscard]] T* leak() { return std::exchange(object_, nullptr); }

  private:
    T* object_ = nullptr;
};
