#include "ipc/outgoing.h"

#include "ipc/receive_target.h"
#include "sched/thread.h"

Status Outgoing::refer_to(VirtualAddress source, uint32_t size) {
    source_ = source;
    size_ = size;
    if (size > KCHANNEL_INLINE_MSG_BYTES) return {};
    return message.read_small_from_user(source, size);
}

Status Outgoing::read_from_kernel(const void* source, uint32_t size, Budget& budget) {
    size_ = size;
    return message.read_from_kernel(source, size, budget);
}

Status Outgoing::load(Budget& budget) { return message.read_from_user(source_, size_, budget); }

Copied Outgoing::write_to(AddressSpace& space, VirtualAddress destination) const {
    AddressSpace& own = current_thread().space();
    if (!loaded()) return space.write_from_user(destination, own, source_, size_);
    const bool written =
        &space == &own ? message.write_to_user(destination) : message.write_to(space, destination);
    return written ? Copied::kAll : Copied::kBadDestination;
}

Copied Outgoing::write_to(const ReceiveTarget& target) const {
    if (target.space != nullptr) return write_to(*target.space, target.bytes);
    // For the kernel itself, which makes room for small messages only.
    message.write_to_kernel(reinterpret_cast<void*>(target.bytes.value));
    return Copied::kAll;
}
