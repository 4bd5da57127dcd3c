// An owned handle of any type. It moves and cannot be copied (see duplicate); its destructor closes
// it. The types of their own are in channel.hpp, port.hpp, memory.hpp, process.hpp and objects.hpp.
#pragma once

#include <kairos/kairos.h>
#include <kairos/result.hpp>

#include <utility>

namespace kairos {

class Handle {
  public:
    // Empty.
    constexpr Handle() = default;
    // Takes `value` over; KAIROS_HANDLE_INVALID makes an empty one.
    constexpr explicit Handle(kairos_handle_t value) : value_(value) {}
    constexpr Handle(Handle&& other) noexcept : value_(other.release()) {}
    constexpr Handle& operator=(Handle&& other) noexcept {
        reset(other.release());
        return *this;
    }
    constexpr ~Handle() { reset(); }

    constexpr kairos_handle_t get() const { return value_; }
    constexpr explicit operator bool() const { return value_ != KAIROS_HANDLE_INVALID; }

    // Gives the value to the caller, who closes it; this is empty afterwards.
    [[nodiscard]] constexpr kairos_handle_t release() {
        return std::exchange(value_, KAIROS_HANDLE_INVALID);
    }

    // Closes what it has and takes `value` over.
    constexpr void reset(kairos_handle_t value = KAIROS_HANDLE_INVALID) {
        const kairos_handle_t old = std::exchange(value_, value);
        if (old != KAIROS_HANDLE_INVALID && old != value) kairos_handle_close(old, 0);
    }

    // The calls of <kairos/handle.h> and <kairos/object.h>, errors as there.
    [[nodiscard]] Result<Handle> duplicate(kairos_rights_t rights = KRIGHT_SAME) const {
        kairos_handle_t copy = KAIROS_HANDLE_INVALID;
        const kairos_status_t status = kairos_handle_duplicate(value_, rights, &copy);
        if (status < 0) return failure(status);
        return Handle(copy);
    }
    Result<> revoke_descendants() const { return to_result(kairos_handle_revoke(value_)); }
    [[nodiscard]] Result<kairos_rights_t> rights() const {
        kairos_rights_t rights = 0;
        const kairos_status_t status = kairos_cap_rights_get(value_, &rights);
        if (status < 0) return failure(status);
        return rights;
    }
    Result<> limit_rights(kairos_rights_t rights) const {
        return to_result(kairos_cap_rights_limit(value_, rights));
    }
    // Which of `events` (POLLIN ...) hold now.
    [[nodiscard]] Result<uint32_t> poll(uint32_t events) const {
        uint32_t ready = 0;
        const kairos_status_t status = kairos_object_poll(value_, events, &ready);
        if (status < 0) return failure(status);
        return ready;
    }
    // Blocks until one of `events` holds.
    Result<uint32_t> wait(uint32_t events, kairos_time_t deadline = KAIROS_TIME_INFINITE) const {
        uint32_t ready = 0;
        const kairos_status_t status = kairos_object_wait(value_, events, deadline, &ready);
        if (status < 0) return failure(status);
        return ready;
    }
    Result<> signal(uint32_t clear, uint32_t set) const {
        return to_result(kairos_object_signal(value_, clear, set));
    }

  private:
    kairos_handle_t value_ = KAIROS_HANDLE_INVALID;
};

// The base of the handles to one type of object: `Self` is that type's class. An object of it can
// be made from a Handle that is known to name one; the kernel checks at each call.
template <typename Self>
class TypedHandle : public Handle {
  public:
    using Handle::Handle;
    constexpr TypedHandle() = default;
    constexpr explicit TypedHandle(Handle&& handle) : Handle(std::move(handle)) {}

    [[nodiscard]] Result<Self> duplicate(kairos_rights_t rights = KRIGHT_SAME) const {
        auto copy = Handle::duplicate(rights);
        if (!copy) return std::unexpected(copy.error());
        return Self(std::move(*copy));
    }

  protected:
    // Calls `create(&value)` and makes an object of what it puts there.
    template <typename Create>
    static Result<Self> make(Create create) {
        kairos_handle_t value = KAIROS_HANDLE_INVALID;
        const kairos_status_t status = create(&value);
        if (status < 0) return failure(status);
        return Self(Handle(value));
    }
};

// What the program was given for the place `which`, to own from now on: ask once for each.
inline Handle take_bootstrap(uint32_t which) { return Handle(kairos_bootstrap(which)); }

// Lengths of time in nanoseconds.
inline constexpr uint64_t kMicrosecond = 1'000;
inline constexpr uint64_t kMillisecond = 1'000'000;
inline constexpr uint64_t kSecond = 1'000'000'000;

// The deadline that lies `nanoseconds` from now.
inline kairos_time_t after(uint64_t nanoseconds) {
    const kairos_time_t now = kairos_clock_now();
    return nanoseconds < KAIROS_TIME_INFINITE - now ? now + nanoseconds : KAIROS_TIME_INFINITE;
}

}  // namespace kairos
