// Result<T>: a value or an Error, which the caller must look at. The numbers of Error are those of
// the public contract (abi/errors.h); a system call returns them negated.
#pragma once

#include <concepts>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "abi/errors.h"

enum class Error : int32_t {
#define KAIROS_DEFINE_ERROR(name, number, text) name = number,
    KAIROS_ERRORS(KAIROS_DEFINE_ERROR)
#undef KAIROS_DEFINE_ERROR
};

// What a failed function returns: `return Fail(Error::BADF);`
struct Fail {
    constexpr explicit Fail(Error error) : error(error) {}
    Error error;
};

template <typename T>
class [[nodiscard]] Result {
  public:
    Result(Fail fail) : ok_(false), error_(fail.error) {}
    template <typename U>
    requires std::constructible_from<T, U&&> &&
        (!std::same_as<std::decay_t<U>, Fail>)&&(!std::same_as<std::decay_t<U>, Result>)
            Result(U&& value)
        : ok_(true), value_(std::forward<U>(value)) {}
    Result(Result&& other) : ok_(other.ok_) {
        if (ok_) {
            new (static_cast<void*>(&value_)) T(std::move(other.value_));
        } else {
            error_ = other.error_;
        }
    }
    Result& operator=(Result&&) = delete;
    ~Result() {
        if (ok_) value_.~T();
    }

    bool ok() const { return ok_; }
    explicit operator bool() const { return ok_; }
    Error error() const { return error_; }
    T& value() & { return value_; }
    const T& value() const& { return value_; }
    T&& value() && { return std::move(value_); }
    T& operator*() { return value_; }
    T* operator->() { return &value_; }
    T take() { return std::move(value_); }

  private:
    bool ok_;
    union {
        Error error_;
        T value_;
    };
};

template <>
class [[nodiscard]] Result<void> {
  public:
    constexpr Result() = default;
    constexpr Result(Fail fail) : error_(static_cast<int32_t>(fail.error)) {}
    bool ok() const { return error_ == 0; }
    explicit operator bool() const { return ok(); }
    Error error() const { return static_cast<Error>(error_); }
    void take() const {}

  private:
    int32_t error_ = 0;
};

using Status = Result<void>;

// Evaluates to the value of a Result, or returns its error from the enclosing function. A macro,
// because no function can return from its caller.
#define TRY(expression)                                        \
    ({                                                         \
        auto try_result = (expression);                        \
        if (!try_result.ok()) return Fail(try_result.error()); \
        try_result.take();                                     \
    })
