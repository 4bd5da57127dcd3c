// Calling: a request under a fresh txid, and a sleep until its reply.
//
//     caller                              server
//     1 lock: request to an armed server, or into the queue
//     2 lock: registers its txid, sleeps
//     3 wakes the server ───────────────> 4 receives the request with its txid
//                                         5 sends with that txid: finds the caller, copies
//                                           straight into its memory, wakes it
//     6 returns
//
// The server cannot run before 3, so the reply of a request always finds its caller registered,
// unless that has left by its deadline, an interrupt, or the end of the channel.
#include "ipc/channel.h"
#include "ipc/channel_pair.h"
#include "trace/counters.h"

// Sleeps until the reply; entered with the guard held, left without it.
Status Endpoint::await_reply(LockGuard& held, uint64_t txid, ReceiveTarget& target,
                             const SendOptions& options, BlockingUse& use, WakeBatch& wakes) {
    if (hung_up()) return Fail(Error::PIPE);
    TRY(use.begin());
    ReceiveOffer offer(target, current_waiter(), true);
    offer.txid = txid;
    offer.awaits = KAIROS_POLLHUP;
    calls_.add(offer);
    trace_message<TraceEvent::call>(txid, 0, 0, 0);
    const WakeReason reason =
        callers_.block(held, callers_.sequence(), options.deadline, &offer, &wakes);
    switch (offer.outcome) {
        case ReceiveOffer::Outcome::kMail:
            return offer.mail.copy_out(target);
        case ReceiveOffer::Outcome::kDelivered:
            return {};
        case ReceiveOffer::Outcome::kFailed:
            return Fail(offer.error);
        case ReceiveOffer::Outcome::kNone:
            break;
    }
    held.lock();
    calls_.remove(offer);
    held.unlock();
    if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
    return Fail(Error::PIPE);
}

Status Endpoint::call(Outgoing& request, ReceiveTarget& reply, const SendOptions& options) {
    BlockingUse use(*this, options.through);
    while (true) {
        WakeBatch wakes;
        LockGuard held(guard());
        request.message.txid = ++last_txid_;
        // A server that waits for its next request always lies open for it.
        if (TRY(pass_on(held, request, true, wakes))) {
            const Status answered =
                await_reply(held, request.message.txid, reply, options, use, wakes);
            trace<TraceEvent::call_end>(
                static_cast<uint64_t>(id()), static_cast<uint64_t>(pair_.ids[1 - side_]),
                request.message.txid, answered.ok() ? 0 : -static_cast<uint64_t>(answered.error()));
            return answered;
        }
        TRY(use.begin());
        const WakeReason reason = await_room(held, options.deadline, wakes);
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
        if (current_waiter().killed()) return leave_to_next(senders_);
    }
}
