// Asking servers, as the libc does it: bytes for bytes, until there is an answer.
#pragma once

#include <errno.h>
#include <kairos/kairos.h>

#include <cstddef>
#include <kairos/handle.hpp>
#include <kairos/message.hpp>
#include <span>

namespace kairos::internal {

// How many bytes the reply has. A handle that comes with it goes to `received`, if that is given,
// and may come only then. Errors of kairos_channel_call.
kairos_status_t ask_bytes(kairos_handle_t channel, std::span<const std::byte> request,
                          std::span<std::byte> reply, Handle* received = nullptr);

template <typename T>
std::span<std::byte> writable_bytes_of(T& value) {
    return std::as_writable_bytes(std::span<T, 1>(&value, 1));
}

// The same for a reply of fixed size: 0, or -EIO for one of another.
template <typename Request, typename Reply>
kairos_status_t ask(kairos_handle_t channel, const Request& request, Reply& reply,
                    Handle* received = nullptr) {
    const kairos_status_t status =
        ask_bytes(channel, bytes_of(request), writable_bytes_of(reply), received);
    if (status < 0) return status;
    return status == sizeof(reply) ? 0 : -EIO;
}

}  // namespace kairos::internal
