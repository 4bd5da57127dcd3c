#include "ask.hpp"

namespace kairos::internal {

kairos_status_t ask_bytes(kairos_handle_t channel, std::span<const std::byte> request,
                          std::span<std::byte> reply, Handle* received) {
    kairos_handle_t handle = KAIROS_HANDLE_INVALID;
    const kairos_channel_msg out = {.bytes = const_cast<std::byte*>(request.data()),
                                    .handles = nullptr,
                                    .num_bytes = static_cast<uint32_t>(request.size()),
                                    .num_handles = 0,
                                    .txid = 0};
    kairos_channel_msg in = {.bytes = reply.data(),
                             .handles = &handle,
                             .num_bytes = static_cast<uint32_t>(reply.size()),
                             .num_handles = received != nullptr ? 1u : 0u,
                             .txid = 0};
    const kairos_status_t status = kairos_channel_call(channel, &out, &in, KAIROS_TIME_INFINITE);
    if (status < 0) return status;
    if (in.num_handles != 0) received->reset(handle);
    return in.num_bytes;
}

}  // namespace kairos::internal
