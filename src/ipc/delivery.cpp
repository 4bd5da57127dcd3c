// Putting a message into its receiver's hands.
#include <cstddef>
#include <cstring>

#include "arch/user_copy.h"
#include "ipc/receive_target.h"
#include "memory/address_space.h"
#include "sched/thread.h"

namespace {
// The part of struct kairos_channel_msg that a receive writes.
struct Lengths {
    uint32_t num_bytes;
    uint32_t num_handles;
    uint64_t txid;
};
constexpr uint64_t kLengthsOffset = offsetof(kairos_channel_msg, num_bytes);
static_assert(offsetof(kairos_channel_msg, num_handles) == kLengthsOffset + 4);
static_assert(offsetof(kairos_channel_msg, txid) == kLengthsOffset + 8);
}  // namespace

bool ReceiveTarget::write(VirtualAddress to, const void* from, size_t size) const {
    if (space == &current_thread().space()) return arch::copy_to_user(to, from, size);
    if (space == nullptr) {
        std::memcpy(reinterpret_cast<void*>(to.value), from, size);
        return true;
    }
    return space->write(to, from, size);
}

Status Delivery::make_room(uint32_t size, uint32_t handle_count) {
    target_.size = size;
    target_.handle_count = handle_count;
    if (!target_.fits(size, handle_count)) return Fail(Error::MSGSIZE);
    if (handle_count == 0 || target_.drop_handles) return {};
    return target_.table->reserve(handle_count, room_);
}

Status Delivery::announce(uint64_t txid) {
    if (room_.count() != 0) {
        HandleValue values[KCHANNEL_MAX_MSG_HANDLES];
        for (uint32_t i = 0; i < room_.count(); ++i) values[i] = room_.value(i);
        if (!target_.write(target_.handles, values, room_.count() * sizeof(HandleValue))) {
            return Fail(Error::FAULT);
        }
    }
    if (target_.message.value == 0) return {};
    const Lengths lengths{target_.size, target_.handle_count, txid};
    if (!target_.write(target_.message + kLengthsOffset, &lengths, sizeof(lengths))) {
        return Fail(Error::FAULT);
    }
    return {};
}

Status Mail::copy_out(ReceiveTarget& target) const {
    Delivery delivery(target);
    TRY(delivery.make_room(size, 0));
    if (size != 0 && !target.write(target.bytes, bytes, size)) return Fail(Error::FAULT);
    return delivery.announce(txid);
}

void Delivery::commit(CapChain handles) {
    for (uint32_t i = 0; i < room_.count(); ++i) {
        OwnedCap cap = handles.pop_front();
        cap->note_transfer(TransferEvent::kDeliver, target_.table->process_id());
        if (room_.install(i, std::move(cap))) continue;
        const HandleValue nothing = KAIROS_HANDLE_INVALID;
        // The page was writable a moment ago; if it is gone, so is the value in it.
        (void)target_.write(target_.handles + i * sizeof(HandleValue), &nothing, sizeof(nothing));
    }
}
