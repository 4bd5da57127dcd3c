// Outgoing: a message as its sender brings it. The handles are still in its table. A payload beyond
// the inline size is still in its memory: it goes from there straight to a receiver who waits for
// it, or is taken in when the message has to queue. What the kernel itself sends is all in the
// message.
#pragma once

#include "ipc/message.h"
#include "memory/address_space.h"
#include "object/handle_table.h"

struct ReceiveTarget;

class Outgoing {
  public:
    Outgoing() = default;

    // The payload lies at `source` in the current address space; a small one is taken in at once.
    // -EFAULT.
    Status refer_to(VirtualAddress source, uint32_t size);
    // The payload is the kernel's own. -EDQUOT, -ENOMEM.
    Status read_from_kernel(const void* source, uint32_t size, Budget& budget);

    uint32_t size() const { return size_; }
    bool small() const { return size_ <= KCHANNEL_INLINE_MSG_BYTES; }
    // Whether the message is ready to be queued.
    bool loaded() const { return message.size() == size_; }
    // Takes in what refer_to has left; frames are charged to `budget`. -EDQUOT, -ENOMEM, -EFAULT.
    Status load(Budget& budget);
    // Writes the payload into an address space, without allocating anything.
    Copied write_to(AddressSpace& space, VirtualAddress destination) const;
    Copied write_to(const ReceiveTarget& target) const;

    uint32_t handle_count() const { return handles.count() + message.handles.count(); }
    // The handles, which leave the sender. Cannot fail.
    CapChain commit_handles() {
        return handles.count() != 0 ? handles.commit() : std::move(message.handles);
    }

    Message message;  // the txid, and the payload once it is loaded
    TransferReservation handles;

  private:
    VirtualAddress source_{};
    uint32_t size_ = 0;
};
