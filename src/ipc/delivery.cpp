// Putting a message into its receiver's hands.
#include <cstddef>

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
    return space->write(to, from, size);
}

Result<Delivery> Delivery::prepare(ReceiveTarget& target, const Message& message,
                                   uint32_t handle_count) {
    target.size = message.size();
    target.handle_count = handle_count;
    if (!target.fits(message.size(), handle_count)) return Fail(Error::MSGSIZE);

    SlotReservation room;
    if (handle_count != 0 && !target.drop_handles) room = TRY(target.table->reserve(handle_count));

    const bool here = target.space == &current_thread().space();
    const bool filled =
        here ? message.write_to_user(target.bytes) : message.write_to(*target.space, target.bytes);
    if (!filled) return Fail(Error::FAULT);
    if (room.count() != 0) {
        HandleValue values[KCHANNEL_MAX_MSG_HANDLES];
        for (uint32_t i = 0; i < room.count(); ++i) values[i] = room.value(i);
        if (!target.write(target.handles, values, room.count() * sizeof(HandleValue))) {
            return Fail(Error::FAULT);
        }
    }
    if (target.message.value != 0) {
        const Lengths lengths{message.size(), handle_count, message.txid};
        if (!target.write(target.message + kLengthsOffset, &lengths, sizeof(lengths))) {
            return Fail(Error::FAULT);
        }
    }
    return Delivery(target, std::move(room));
}

void Delivery::commit(CapChain handles) {
    for (uint32_t i = 0; i < room_.count(); ++i) {
        if (room_.install(i, handles.pop_front())) continue;
        const HandleValue nothing = KAIROS_HANDLE_INVALID;
        // The page was writable a moment ago; if it is gone, so is the value in it.
        (void)target_->write(target_->handles + i * sizeof(HandleValue), &nothing, sizeof(nothing));
    }
}
