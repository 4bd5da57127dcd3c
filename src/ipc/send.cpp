// Sending: into the peer's queue, to an armed receiver, or as a reply to a waiting caller.
#include "ipc/channel.h"
#include "ipc/channel_pair.h"
#include "trace/counters.h"

bool Endpoint::peer_accepts() const {
    const Endpoint* other = peer();
    return other != nullptr && other->open();
}

// The last step of a send by queue: the handles leave the sender, the message is the peer's.
void Endpoint::enqueue(Outgoing& outgoing, WakeBatch& wakes) {
    Endpoint& to = *peer();
    if (outgoing.handles.count() != 0) outgoing.message.handles = outgoing.handles.commit();
    to.depart(outgoing.message);
    to.queue_.push(outgoing.message);
    count(Counter::channel_queued);
    to.receivers_.wake_one(WakeReason::kData, wakes);
    to.raise(KPORT_BIND_READABLE, WakeReason::kData, wakes);
}

// The first receiver of `to` that lies open for direct delivery and has room, claimed.
ReceiveOffer* Endpoint::claim_armed_receiver(Endpoint& to, uint32_t size, uint32_t handles) {
    if (!to.queue_.empty() || to.turn_taken_) return nullptr;  // it would overtake
    for (Waiter* waiter = to.receivers_.first_waiter(); waiter != nullptr;) {
        Waiter* next = to.receivers_.waiter_after(*waiter);
        auto* offer = static_cast<ReceiveOffer*>(waiter->offer());
        if (offer->rendezvous && offer->target.fits(size, handles) &&
            to.receivers_.take(*waiter, WakeReason::kData)) {
            return offer;
        }
        waiter = next;
    }
    return nullptr;
}

// Delivers to somebody who sleeps and is claimed, without the lock, and lets him go. True if the
// message has arrived; otherwise it is as before, and the receiver has been told why.
bool Endpoint::deliver_to(ReceiveOffer& offer, Outgoing& outgoing, WakeBatch& wakes) {
    Delivery delivery(offer.target);
    const Status prepared = delivery.prepare(outgoing.message, outgoing.handles.count());
    if (prepared) {
        delivery.commit(outgoing.handles.commit());
        offer.outcome = ReceiveOffer::Outcome::kDelivered;
    } else {
        offer.outcome = ReceiveOffer::Outcome::kFailed;
        offer.error = prepared.error();
    }
    wakes.add(offer.waiter);
    return prepared.ok();
}

bool Endpoint::hand_off(LockGuard& held, Outgoing& outgoing, WakeBatch& wakes) {
    ReceiveOffer* offer =
        claim_armed_receiver(*peer(), outgoing.message.size(), outgoing.handles.count());
    if (offer == nullptr) return false;
    held.unlock();
    const bool delivered = deliver_to(*offer, outgoing, wakes);
    if (delivered) count(Counter::channel_handoffs);
    held.lock();
    return delivered;
}

// A reply goes to the caller that waits for its txid. Where there is none any more, it is dropped,
// and its handles with it.
void Endpoint::reply(LockGuard& held, Outgoing& outgoing, WakeBatch& wakes) {
    Endpoint& to = *peer();
    ReceiveOffer* offer = to.calls_.lower_bound(outgoing.message.txid);
    const bool waiting = offer != nullptr && offer->txid == outgoing.message.txid;
    if (waiting) to.calls_.remove(*offer);
    const bool claimed = waiting && to.callers_.take(offer->waiter, WakeReason::kData);
    held.unlock();
    if (claimed && deliver_to(*offer, outgoing, wakes)) {
        count(Counter::channel_replies);
    } else {
        count(Counter::channel_replies_dropped);
        CapChain dropped = outgoing.handles.commit();
    }
}

Status Endpoint::send(Outgoing& outgoing, const SendOptions& options) {
    BlockingUse use(*this, options.through);
    while (true) {
        WakeBatch wakes;
        LockGuard held(guard());
        if (!can_send()) {
            count(Counter::channel_peer_closed);
            return Fail(Error::PIPE);
        }
        count(Counter::channel_sends);
        if (outgoing.message.txid != 0) {
            reply(held, outgoing, wakes);
            return {};
        }
        if (options.rendezvous && hand_off(held, outgoing, wakes)) return {};
        if (!can_send()) continue;  // the lock was released in between
        if (!peer()->queue_.full()) {
            enqueue(outgoing, wakes);
            return {};
        }
        if (options.nonblocking) return Fail(Error::AGAIN);
        TRY(use.begin());
        const WakeReason reason =
            senders_.block(held, senders_.sequence(), options.deadline, nullptr, &wakes);
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
    }
}
