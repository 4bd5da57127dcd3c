// Channel: a pair of endpoints, each with a bounded queue of messages to receive.
//
// One lock guards the pair. Every operation looks at both ends (may I send? is the peer there? is
// there room at its side?), so with two locks each of them would take both; with one, no order has
// to be kept, every transition is atomic, and no pair shares anything with another.
//
// An endpoint's states are OPEN → CLOSING (its last owner went; what is queued is being dropped)
// → CLOSED. All operations decide by the four predicates below.
//
//        endpoint 0                                       endpoint 1
//        queue  <── send ────────────────────────────────  senders (wait for room in 0's queue)
//        receivers (wait for a message)
//        callers (wait for the reply with their txid)
//        senders ── send ────────────────────────────────> queue …
//
// A message leaves the queue only when it is safely with its receiver. The receiver takes the
// *turn*, copies with the lock released, and commits by removing the message; whoever finds the
// turn taken spins, for its holder neither sleeps nor is switched away.
//
// A call registers its txid and sleeps under the same hold of the lock that sends its request, so
// no reply can come too early. A reply never queues: it goes to its caller's memory or is dropped.
#pragma once

#include <cstdint>

#include "base/tree.h"
#include "ipc/calls.h"
#include "ipc/message_queue.h"
#include "ipc/outgoing.h"
#include "ipc/receive_target.h"
#include "object/handle_table.h"
#include "object/object.h"
#include "object/transit.h"
#include "sched/blocking_use.h"
#include "trace/records.h"
#include "wait/parking.h"

enum class EndpointState : uint32_t {
    kOpen = KAIROS_ENDPOINT_OPEN,
    kClosing = KAIROS_ENDPOINT_CLOSING,
    kClosed = KAIROS_ENDPOINT_CLOSED,
};

struct SendOptions {
    bool nonblocking = false;
    bool rendezvous = false;
    Instant deadline = Instant::never();
    Through through{};
};

class ChannelPair;

class Endpoint final : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kChannel;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_WAIT | KRIGHT_SIGNAL};
    struct TwoEnds {
        Ref<Endpoint> ends[2];
    };
    // -EDQUOT, -ENOMEM. All that its queues need for small messages is allocated here.
    static Result<TwoEnds> create_pair(Budget& budget);

    // Sends. On failure the message and its handles are still the caller's. A message with a txid
    // is a reply, and goes to the peer's caller of that txid or nowhere. -EPIPE, -EAGAIN, -EFAULT,
    // -EDQUOT, -ENOMEM, -ETIMEDOUT, -EINTR, -ECANCELED. BLOCKS while the peer's queue is full.
    Status send(Outgoing& outgoing, const SendOptions& options);
    // Receives into `target`: true for a message, false at the end of the stream. -EMSGSIZE (the
    // sizes are in `target`), -EFAULT, -EMFILE, -EDQUOT, -ENOMEM, -EAGAIN, -ETIMEDOUT, -EINTR,
    // -ECANCELED. BLOCKS while there is nothing.
    Result<bool> receive(ReceiveTarget& target, const SendOptions& options);
    // Sends a request and waits for its reply. Errors of both. BLOCKS.
    Status call(Outgoing& request, ReceiveTarget& reply, const SendOptions& options);
    // Sends, and receives the next message; errors of both. A reply that nobody can be given any
    // more is dropped. BLOCKS.
    Result<bool> reply_and_receive(Outgoing& reply, ReceiveTarget& next,
                                   const SendOptions& options);

    Endpoint* peer() const;  // null once it is closed and gone; the guard is held or it is borrowed
    kairos_info_channel describe();

    // A message's bytes; handles in it are closed. 0 at the end of the stream. Errors as receive().
    Result<int64_t> read_bytes(const ByteRequest& request) override;
    // Sends them as one message. -EMSGSIZE; errors as send().
    Result<int64_t> write_bytes(const ByteRequest& request) override;
    const Bridge* bridge() const override;

    uint32_t readiness() const override;
    uint32_t raisable_signals() const override {
        return KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED | KPORT_BIND_WRITABLE | KPORT_BIND_USER;
    }
    uint32_t holding_signals() const override;
    Transit* transit() override { return &transit_; }

  private:
    friend class ChannelPair;
    template <typename T>
    friend class ObjectStorage;

    Endpoint(ChannelPair& pair, uint32_t side);
    bool on_unowned() override;
    bool wind_up() override;
    bool dismantle() override;
    void free_memory() override;

    // ---- Predicates; the guard is held ----
    bool open() const { return state_ == EndpointState::kOpen; }
    bool peer_accepts() const;  // the peer is open: what is sent can arrive
    bool can_send() const { return open() && peer_accepts(); }
    bool can_receive() const { return open() && !queue_.empty(); }
    bool hung_up() const { return !open() || !peer_accepts(); }

    // ---- The guard is held, and kept ----
    // For the trace: a message of this endpoint's, or nothing but the states. `queued` is what is
    // in the queue concerned.
    template <TraceEvent kEvent>
    void trace_message(uint64_t txid, uint32_t size, uint32_t handles, uint32_t queued) const {
        if (tracing<kind_of(kEvent)>())
            record_message(header_of(kEvent), txid, size, handles, queued);
    }
    void record_message(uint64_t header, uint64_t txid, uint32_t size, uint32_t handles,
                        uint32_t queued) const;
    void become(EndpointState next);
    void enqueue(Outgoing& outgoing, WakeBatch& wakes);  // into the peer's queue, which has room
    void depart(const Message& message);                 // its handles lie in this queue
    static void arrive(const Message& message);          // they are with the receiver
    Fail give_up_sending(Error error, WakeBatch& wakes);
    static ReceiveOffer* claim_armed_receiver(Endpoint& to, uint32_t size, uint32_t handles);

    // ---- Entered and left with the guard held; it may be released in between ----
    // (The analysis follows no guard into a function that it is passed to.)
    Result<bool> hand_off(LockGuard& held, Outgoing& outgoing,
                          WakeBatch& wakes) NO_THREAD_SAFETY_ANALYSIS;
    Result<bool> pass_on(LockGuard& held, Outgoing& outgoing, bool rendezvous,
                         WakeBatch& wakes) NO_THREAD_SAFETY_ANALYSIS;

    // ---- Entered with the guard held, left without it ----
    Status reply(LockGuard& held, Outgoing& outgoing, WakeBatch& wakes) NO_THREAD_SAFETY_ANALYSIS;
    Status take_first(LockGuard& held, ReceiveTarget& target) NO_THREAD_SAFETY_ANALYSIS;
    Status await_reply(LockGuard& held, uint64_t txid, ReceiveTarget& target,
                       const SendOptions& options, BlockingUse& use,
                       WakeBatch& wakes) NO_THREAD_SAFETY_ANALYSIS;

    // Sleeps until the peer may have room.
    WakeReason await_room(LockGuard& held, Instant deadline,
                          WakeBatch& wakes) NO_THREAD_SAFETY_ANALYSIS;

    // ---- Without the guard ----
    Fail leave_to_next(WaitSource& line);
    enum class Delivered : uint8_t { kYes, kReceiverFailed, kSenderFailed };
    static Delivered deliver_to(ReceiveOffer& offer, Outgoing& outgoing);
    Result<bool> receive(ReceiveTarget& target, const SendOptions& options, WakeBatch& wakes);
    Status open_mail(ReceiveOffer& offer);
    static Status copy_out(Message& message, Delivery& delivery, const ReceiveTarget& target);

    ChannelPair& pair_;
    const uint32_t side_;
    EndpointState state_ = EndpointState::kOpen;
    bool turn_taken_ = false;  // a receiver is copying the first message
    Charge queue_charge_;
    MessageQueue queue_;  // to be received here
    WaitSource receivers_{id_ref(), "a message"};
    WaitSource senders_{id_ref(), "room at the peer"};  // of this end, waiting for room at the peer
    WaitSource callers_{id_ref(), "a reply"};
    Calls calls_;  // those of callers_
    // Mail left with receivers who have not copied it out yet; rises under the guard.
    std::atomic<uint32_t> undelivered_{0};
    uint64_t last_txid_ = 0;
    Transit transit_;
};
