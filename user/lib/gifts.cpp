// Handles that a spawner gives; see the header.
#include "gifts.hpp"

#include <algorithm>

namespace kairos::internal {

namespace {

bool can_be_given(uint32_t which) {
    return which <= KAIROS_BOOT_STDERR || (which >= KAIROS_BOOT_USER0 && which < KAIROS_BOOT_COUNT);
}

kairos_status_t check_movable(kairos_handle_t handle) {
    kairos_rights_t rights = 0;
    const kairos_status_t status = kairos_cap_rights_get(handle, &rights);
    if (status < 0) return status;
    return (rights & KRIGHT_TRANSFER) != 0 ? 0 : -EACCES;
}

}  // namespace

kairos_status_t Gifts::check(std::span<const kairos_spawn_handle> give) {
    static_assert(KAIROS_BOOT_COUNT <= 64);
    for (const kairos_spawn_handle& gift : give) {
        if (!can_be_given(gift.which)) return -EINVAL;
        const uint64_t bit = uint64_t{1} << gift.which;
        if ((given_places_ & bit) != 0) return -EINVAL;
        given_places_ |= bit;
    }
    for (const kairos_spawn_handle& gift : give) {
        const kairos_status_t status = add(gift);
        if (status < 0) return status;
    }
    return 0;
}

kairos_status_t Gifts::add(const kairos_spawn_handle& gift) {
    if (gift.which == KAIROS_BOOT_ARCHIVE) {
        archive_decided_ = true;
        if (gift.handle == KAIROS_HANDLE_INVALID) return 0;
    }
    const kairos_status_t status = check_movable(gift.handle);
    if (status < 0) return status;
    kairos_handle_t* const end = handles_ + count_;
    if (std::find(handles_, end, gift.handle) != end) return -EINVAL;
    places_[count_] = gift.which;
    handles_[count_++] = gift.handle;
    return 0;
}

kairos_status_t Gifts::send(kairos_handle_t channel) const {
    for (size_t sent = 0; sent < count_;) {
        const size_t batch = std::min<size_t>(count_ - sent, KCHANNEL_MAX_MSG_HANDLES);
        const kairos_channel_msg message = {
            .bytes = nullptr,
            .handles = const_cast<kairos_handle_t*>(handles_ + sent),
            .num_bytes = 0,
            .num_handles = static_cast<uint32_t>(batch),
            .txid = 0};
        const kairos_status_t status =
            kairos_channel_send(channel, &message, 0, KAIROS_TIME_INFINITE);
        if (status < 0) return status;
        sent += batch;
    }
    return 0;
}

}  // namespace kairos::internal
