// Errors and results for C++: Result<T> is either a T or an Error. Nothing here throws.
#pragma once

#include <kairos/errors.h>

#include <expected>

namespace kairos {

// The kernel's errors, named as in <errno.h> without their E. Other numbers of <errno.h> may occur.
enum class Error : int {
#define KAIROS_ERROR_VALUE(name, number, text) name = number,
    KAIROS_ERRORS(KAIROS_ERROR_VALUE)
#undef KAIROS_ERROR_VALUE
};

template <typename T = void>
using Result = std::expected<T, Error>;

// The status that a C function would return for `error`: negative.
constexpr kairos_status_t to_status(Error error) { return -static_cast<kairos_status_t>(error); }

// The failure that `status`, which is negative, stands for.
constexpr std::unexpected<Error> failure(kairos_status_t status) {
    return std::unexpected(static_cast<Error>(-status));
}

// Success for zero and above, the failure otherwise.
[[nodiscard]] constexpr Result<> to_result(kairos_status_t status) {
    if (status < 0) return failure(status);
    return {};
}

// "peer is closed" for Error::PIPE, and so on. Never null; static.
inline const char* text_of(Error error) { return kairos_status_text(to_status(error)); }

}  // namespace kairos
