// ReceiveTarget: where a message is to go, in the receiver's memory and handle table. Whoever
// delivers (the receiver itself, a sender handing off, a server replying) makes a Delivery: it
// makes room, writes the payload, announces; all that may fail. Then it commits, which cannot.
#pragma once

#include <cstdint>

#include "base/tree.h"
#include "ipc/message.h"
#include "object/handle_table.h"
#include "wait/wait_source.h"

class AddressSpace;

struct ReceiveTarget {
    // The receiver's. Without a space, `bytes` is in the kernel's memory, and that is all there is.
    AddressSpace* space = nullptr;
    HandleTable* table = nullptr;
    VirtualAddress
        message{};  // a struct kairos_channel_msg whose lengths and txid are set; 0: none
    VirtualAddress bytes{};
    uint32_t capacity = 0;
    VirtualAddress handles{};
    uint32_t handle_capacity = 0;
    bool drop_handles = false;  // handles are closed instead of delivered

    // Results: of the message delivered, or of the one that does not fit (-EMSGSIZE).
    uint32_t size = 0;
    uint32_t handle_count = 0;

    bool fits(uint32_t message_size, uint32_t message_handles) const {
        return message_size <= capacity && (drop_handles || message_handles <= handle_capacity);
    }
    // Writes into the receiver's memory, whoever runs. False: bad memory.
    [[nodiscard]] bool write(VirtualAddress to, const void* from, size_t size) const;
};

class Delivery {
  public:
    explicit Delivery(ReceiveTarget& target) : target_(target) {}

    // For the payload (whether it fits) and for handles. -EMSGSIZE (sizes in the target), -EMFILE,
    // -EDQUOT, -ENOMEM.
    Status make_room(uint32_t size, uint32_t handle_count);
    // Writes the lengths, the txid, and what the handles will be called. -EFAULT.
    Status announce(uint64_t txid);
    // Installs the handles. A revoked one leaves KAIROS_HANDLE_INVALID in its place.
    void commit(CapChain handles);

  private:
    ReceiveTarget& target_;
    SlotReservation room_;
};

// A small message without handles, left with a sleeper, who copies it out himself: he is in his own
// address space.
struct Mail {
    uint64_t txid;
    uint32_t size;
    alignas(8) uint8_t bytes[KCHANNEL_INLINE_MSG_BYTES];

    // -EMSGSIZE (sizes in the target), -EFAULT.
    Status copy_out(ReceiveTarget& target) const;
};

// What a blocked receiver or caller lays open: its target, a place for mail, and how the delivery
// went.
struct ReceiveOffer : Offer {
    enum class Outcome : uint8_t { kNone, kDelivered, kMail, kFailed };

    ReceiveOffer(ReceiveTarget& to, Waiter& by, bool direct)
        : target(to), waiter(by), rendezvous(direct) {}

    ReceiveTarget& target;
    Waiter& waiter;
    const bool rendezvous;  // may be delivered to directly; always, for a call
    Outcome outcome = Outcome::kNone;
    Error error{};  // of kFailed
    Mail mail;      // of kMail

    // A call's; guarded by the channel's lock.
    uint64_t txid = 0;
    TreeNode call_node;
    struct TxidOf {
        uint64_t operator()(const ReceiveOffer& offer) const { return offer.txid; }
    };
};

using CallTree = Tree<ReceiveOffer, &ReceiveOffer::call_node, ReceiveOffer::TxidOf>;
