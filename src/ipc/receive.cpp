// Receiving: the first message of the queue, or one that a sender hands over directly.
#include "arch/hart.h"
#include "ipc/channel.h"
#include "ipc/channel_pair.h"
#include "object/lineage.h"
#include "trace/counters.h"

// While a message is being received, its handles count as the receiver's: an endpoint that only
// they keep is not lost.
void Endpoint::arrive(const Message& message) {
    message.handles.for_each([](Cap& cap) { Lineage::arrive(cap); });
}

void Endpoint::depart(const Message& message) {
    message.handles.for_each([this](Cap& cap) { Lineage::depart(cap, *this); });
}

Status Endpoint::copy_out(Message& message, Delivery& delivery, const ReceiveTarget& target) {
    TRY(delivery.make_room(message.size(), message.handles.count()));
    if (!message.write_to_user(target.bytes)) return Fail(Error::FAULT);
    return delivery.announce(message.txid);
}

// Copies the first message out under the turn and then takes it from the queue. Entered with the
// guard held, left without it. On failure the message stays first, and the next receiver is told.
Status Endpoint::take_first(LockGuard& held, ReceiveTarget& target) {
    turn_taken_ = true;
    Message& first = queue_.first();
    arrive(first);
    held.unlock();

    Delivery delivery(target);
    if (const Status copied = copy_out(first, delivery, target); !copied) {
        WakeBatch wakes;
        held.lock();
        turn_taken_ = false;
        depart(first);
        receivers_.wake_one(WakeReason::kData, wakes);
        held.unlock();
        return copied;
    }

    Message taken;  // its frames are freed, and handles that are dropped closed, without the lock
    {
        WakeBatch wakes;
        held.lock();
        turn_taken_ = false;
        const bool was_full = queue_.full();
        queue_.pop(taken);
        const bool room_again = was_full && !queue_.full();
        trace_message<TraceEvent::receive>(taken.txid, taken.size(), taken.handles.count(),
                                           queue_.count());
        if (!queue_.empty()) {
            receivers_.wake_one(WakeReason::kData, wakes);
            raise(KPORT_BIND_READABLE, WakeReason::kData, wakes);
        } else {
            publish(hint() & ~KAIROS_POLLIN);
        }
        Endpoint* sender = peer();
        if (sender != nullptr) {
            if (room_again) sender->publish(sender->readiness());
            sender->senders_.wake_one(WakeReason::kData, wakes);
            if (room_again) sender->raise(KPORT_BIND_WRITABLE, WakeReason::kData, wakes);
        }
        held.unlock();
    }
    delivery.commit(std::move(taken.handles));
    count(Counter::channel_receives);
    return {};
}

// Copies out what was left with this thread while it slept. On failure, or if it has been killed
// since, the message is back in the queue, before all others, and the next receiver is told.
Status Endpoint::open_mail(ReceiveOffer& offer) {
    const Status copied =
        current_waiter().killed() ? Fail(Error::INTR) : offer.mail.copy_out(offer.target);
    if (copied) {
        undelivered_.fetch_sub(1, std::memory_order_relaxed);
        return {};
    }
    Message message;
    message.txid = offer.mail.txid;
    message.read_small_from_kernel(offer.mail.bytes, offer.mail.size);
    WakeBatch wakes;
    LockGuard held(guard());
    undelivered_.fetch_sub(1, std::memory_order_relaxed);
    if (!open()) return copied;
    queue_.push_front(message);
    publish(readiness());
    if (Endpoint* sender = peer()) sender->publish(sender->readiness());
    receivers_.wake_one(WakeReason::kData, wakes);
    raise(KPORT_BIND_READABLE, WakeReason::kData, wakes);
    return copied;
}

Result<bool> Endpoint::receive(ReceiveTarget& target, const SendOptions& options) {
    WakeBatch wakes;
    return receive(target, options, wakes);
}

// `wakes` are made ready before this sleeps, or when it returns.
Result<bool> Endpoint::receive(ReceiveTarget& target, const SendOptions& options,
                               WakeBatch& wakes) {
    BlockingUse use(*this, options.through);
    while (true) {
        LockGuard held(guard());
        if (turn_taken_) {
            // Its holder is copying on another hart and will be done shortly.
            held.unlock();
            arch::open_interrupt_window();
            arch::relax();
            continue;
        }
        if (can_receive()) {
            TRY(take_first(held, target));
            return true;
        }
        if (hung_up()) {
            count(Counter::channel_ends);
            trace_message<TraceEvent::receive_end>(0, 0, 0, 0);
            return false;
        }
        if (options.nonblocking) return Fail(Error::AGAIN);
        TRY(use.begin());

        ReceiveOffer offer(target, current_waiter(), options.rendezvous);
        offer.awaits = KAIROS_POLLIN | KAIROS_POLLHUP;
        const WakeReason reason =
            receivers_.block(held, receivers_.sequence(), options.deadline, &offer, &wakes);
        switch (offer.outcome) {
            case ReceiveOffer::Outcome::kMail:
                TRY(open_mail(offer));
                [[fallthrough]];
            case ReceiveOffer::Outcome::kDelivered:
                count(Counter::channel_receives);
                return true;
            case ReceiveOffer::Outcome::kFailed:
                return Fail(offer.error);
            case ReceiveOffer::Outcome::kNone:
                if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
                if (current_waiter().killed()) return leave_to_next(receivers_);
        }
    }
}
