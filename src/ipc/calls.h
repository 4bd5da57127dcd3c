// Who waits for which reply: the offers of an endpoint's callers, by txid. The latest one stands
// apart, for most endpoints never have a second. Guarded by the channel's lock.
#pragma once

#include "ipc/receive_target.h"

class Calls {
  public:
    void add(ReceiveOffer& offer) {
        if (latest_ == nullptr) {
            latest_ = &offer;
        } else {
            others_.insert(offer);
        }
    }
    // Null: nobody waits for that reply.
    ReceiveOffer* find(uint64_t txid) const {
        if (latest_ != nullptr && latest_->txid == txid) return latest_;
        ReceiveOffer* offer = others_.lower_bound(txid);
        return offer != nullptr && offer->txid == txid ? offer : nullptr;
    }
    // Nothing happens if it is not there.
    void remove(ReceiveOffer& offer) {
        if (latest_ == &offer) {
            latest_ = nullptr;
        } else if (CallTree::linked(offer)) {
            others_.remove(offer);
        }
    }

  private:
    ReceiveOffer* latest_ = nullptr;
    CallTree others_;
};
