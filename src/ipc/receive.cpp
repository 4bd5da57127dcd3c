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
            if (was_full) sender->publish(sender->readiness());
            sender->senders_.wake_one(WakeReason::kData, wakes);
            if (was_full) sender->raise(KPORT_BIND_WRITABLE, WakeReason::kData, wakes);
        }
        held.unlock();
    }
    delivery.commit(std::move(taken.handles));
    count(Counter::channel_receives);
    return {};
}

Result<bool> Endpoint::receive(ReceiveTarget& target, const SendOptions& options) {
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
        const WakeReason reason =
            receivers_.block(held, receivers_.sequence(), options.deadline, &offer);
        if (offer.outcome == ReceiveOffer::Outcome::kDelivered) {
            count(Counter::channel_receives);
            return true;
        }
        if (offer.outcome == ReceiveOffer::Outcome::kFailed) return Fail(offer.error);
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
        if (current_waiter().killed()) return leave_to_next(receivers_);
    }
}
