// Sending: into the peer's queue, to an armed receiver, or as a reply to a waiting caller.
#include <cstring>

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
    outgoing.message.handles.for_each(
        [](const Cap& cap) { cap.note_transfer(TransferEvent::kEnqueue); });
    const uint32_t handles = outgoing.message.handles.count();
    const uint64_t txid = outgoing.message.txid;
    to.depart(outgoing.message);
    to.queue_.push(outgoing.message);
    trace_message<TraceEvent::send>(txid, outgoing.size(), handles, to.queue_.count());
    if (to.queue_.count() == 1) to.publish(to.hint() | KAIROS_POLLIN);
    if (to.queue_.full()) publish(readiness());
    count(Counter::channel_sends);
    count(Counter::channel_queued);
    to.receivers_.wake_one(WakeReason::kData, wakes);
    to.raise(KPORT_BIND_READABLE, WakeReason::kData, wakes);
}

// The first receiver of `to` that lies open for direct delivery and has room, claimed.
ReceiveOffer* Endpoint::claim_armed_receiver(Endpoint& to, uint32_t size, uint32_t handles) {
    if (!to.queue_.empty() || to.turn_taken_) return nullptr;  // it would overtake
    // What cannot be copied out after all comes back to the queue, which has room for so many.
    if (to.undelivered_.load(std::memory_order_relaxed) == MessageQueue::kSpareSlots) {
        return nullptr;
    }
    for (Waiter* waiter = to.receivers_.first_waiter(); waiter != nullptr;) {
        Waiter* next = to.receivers_.waiter_after(*waiter);
        auto* offer = static_cast<ReceiveOffer*>(waiter->offer());
        if (offer->rendezvous && offer->target.fits(size, handles) &&
            to.receivers_.take(*waiter, WakeReason::kData)) {
            to.undelivered_.fetch_add(1, std::memory_order_relaxed);
            return offer;
        }
        waiter = next;
    }
    return nullptr;
}

// Delivers to somebody who sleeps and is claimed, without the lock. On kReceiverFailed he has been
// told why; in no case has he been let go yet.
Endpoint::Delivered Endpoint::deliver_to(ReceiveOffer& offer, Outgoing& outgoing) {
    if (outgoing.small() && outgoing.handle_count() == 0) {
        offer.mail.txid = outgoing.message.txid;
        offer.mail.size = outgoing.size();
        std::memcpy(offer.mail.bytes, outgoing.message.small_bytes(), outgoing.size());
        offer.outcome = ReceiveOffer::Outcome::kMail;
        count(Counter::channel_sends);
        return Delivered::kYes;
    }
    Delivery delivery(offer.target);
    Status status = delivery.make_room(outgoing.size(), outgoing.handle_count());
    if (status) {
        const Copied copied = outgoing.write_to(offer.target);
        if (copied == Copied::kBadSource) return Delivered::kSenderFailed;
        status =
            copied == Copied::kAll ? delivery.announce(outgoing.message.txid) : Fail(Error::FAULT);
    }
    if (!status) {
        offer.outcome = ReceiveOffer::Outcome::kFailed;
        offer.error = status.error();
        return Delivered::kReceiverFailed;
    }
    delivery.commit(outgoing.commit_handles());
    offer.outcome = ReceiveOffer::Outcome::kDelivered;
    count(Counter::channel_sends);
    return Delivered::kYes;
}

// A sender who cannot bring what he has; the room that he may have been woken for is the next
// one's.
Fail Endpoint::give_up_sending(Error error, WakeBatch& wakes) {
    senders_.wake_one(WakeReason::kData, wakes);
    return Fail(error);
}

// Straight into the memory of a receiver who waits for it. False: there was none, or his memory
// was bad, which is his affair. -EFAULT: the sender's is.
Result<bool> Endpoint::hand_off(LockGuard& held, Outgoing& outgoing, WakeBatch& wakes) {
    Endpoint& to = *peer();
    ReceiveOffer* offer = claim_armed_receiver(to, outgoing.size(), outgoing.handle_count());
    if (offer == nullptr) return false;
    const uint32_t handles = outgoing.handles.count();
    held.unlock();
    const Delivered delivered = deliver_to(*offer, outgoing);
    if (offer->outcome != ReceiveOffer::Outcome::kMail) {
        to.undelivered_.fetch_sub(1, std::memory_order_relaxed);
    }
    held.lock();
    if (delivered == Delivered::kSenderFailed) {
        // Nothing has happened to him, unless something else has.
        if (to.open() && to.peer_accepts() && to.queue_.empty()) {
            to.receivers_.put_back(offer->waiter, wakes);
        } else {
            wakes.add(offer->waiter);
        }
        return give_up_sending(Error::FAULT, wakes);
    }
    wakes.add(offer->waiter);
    if (delivered != Delivered::kYes) return false;
    count(Counter::channel_handoffs);
    trace_message<TraceEvent::handoff>(outgoing.message.txid, outgoing.size(), handles, 0);
    return true;
}

// A reply goes to the caller that waits for its txid. Where there is none any more, it is dropped,
// and its handles with it.
Status Endpoint::reply(LockGuard& held, Outgoing& outgoing, WakeBatch& wakes) {
    Endpoint& to = *peer();
    ReceiveOffer* offer = to.calls_.find(outgoing.message.txid);
    // Even if he is just leaving: nobody finds him again.
    if (offer != nullptr) to.calls_.remove(*offer);
    if (offer == nullptr || !to.callers_.take(offer->waiter, WakeReason::kData)) {
        trace_message<TraceEvent::reply_drop>(outgoing.message.txid, outgoing.size(),
                                              outgoing.handles.count(), 0);
        held.unlock();
        count(Counter::channel_replies_dropped);
        CapChain dropped = outgoing.handles.commit();
        return {};
    }
    trace_message<TraceEvent::reply>(outgoing.message.txid, outgoing.size(),
                                     outgoing.handles.count(), 0);
    held.unlock();
    switch (deliver_to(*offer, outgoing)) {
        case Delivered::kYes:
            count(Counter::channel_replies);
            break;
        case Delivered::kReceiverFailed: {
            count(Counter::channel_replies_dropped);
            CapChain dropped = outgoing.handles.commit();
            break;
        }
        case Delivered::kSenderFailed: {
            LockGuard again(to.guard());
            if (to.hung_up()) {
                wakes.add(offer->waiter);
            } else {
                to.calls_.add(*offer);
                to.callers_.put_back(offer->waiter, wakes);
            }
            return Fail(Error::FAULT);
        }
    }
    wakes.add(offer->waiter);
    return {};
}

// Passes a plain message on, directly or by the queue. False: the queue is full. -EPIPE, -EFAULT,
// -EDQUOT, -ENOMEM.
Result<bool> Endpoint::pass_on(LockGuard& held, Outgoing& outgoing, bool rendezvous,
                               WakeBatch& wakes) {
    while (can_send()) {
        if (rendezvous && TRY(hand_off(held, outgoing, wakes))) return true;
        if (!can_send()) break;  // the lock was released in between
        if (peer()->queue_.full()) return false;
        if (outgoing.loaded()) {
            enqueue(outgoing, wakes);
            return true;
        }
        held.unlock();
        const Status loaded = outgoing.load(current_thread().budget());
        held.lock();
        if (!loaded) return give_up_sending(loaded.error(), wakes);
    }
    count(Counter::channel_peer_closed);
    return Fail(Error::PIPE);
}

WakeReason Endpoint::await_room(LockGuard& held, Instant deadline, WakeBatch& wakes) {
    Offer offer{.awaits = KAIROS_POLLOUT | KAIROS_POLLHUP};
    return senders_.block(held, senders_.sequence(), deadline, &offer, &wakes);
}

Status Endpoint::send(Outgoing& outgoing, const SendOptions& options) {
    BlockingUse use(*this, options.through);
    while (true) {
        WakeBatch wakes;
        LockGuard held(guard());
        if (outgoing.message.txid != 0 && can_send()) return reply(held, outgoing, wakes);
        if (TRY(pass_on(held, outgoing, options.rendezvous, wakes))) return {};
        if (options.nonblocking) return Fail(Error::AGAIN);
        TRY(use.begin());
        const WakeReason reason = await_room(held, options.deadline, wakes);
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
        if (current_waiter().killed()) return leave_to_next(senders_);
    }
}

Result<bool> Endpoint::reply_and_receive(Outgoing& outgoing, ReceiveTarget& next,
                                         const SendOptions& options) {
    if (outgoing.message.txid == 0) {
        const Status sent = send(outgoing, options);
        if (!sent && sent.error() != Error::PIPE) return Fail(sent.error());
    }
    WakeBatch wakes;  // the caller, who may run at once when this thread sleeps
    if (outgoing.message.txid != 0) {
        LockGuard held(guard());
        if (can_send()) TRY(reply(held, outgoing, wakes));
    }
    // Where nobody is left to be answered the reply is dropped, and the receive finds what is left
    // to receive.
    CapChain dropped = outgoing.handles.commit();
    return receive(next, options, wakes);
}
