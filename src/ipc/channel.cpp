// The life of an endpoint: creation, readiness, closing. Sending and receiving are in send.cpp,
// receive.cpp and call.cpp.
#include "ipc/channel.h"

#include "ipc/channel_pair.h"
#include "mm/object_cache.h"
#include "object/object_storage.h"
#include "trace/counters.h"
#include "trace/records.h"

namespace {
constinit mm::ObjectCache<ChannelPair> pair_cache;
}  // namespace

ChannelPair* ChannelPair::allocate() {
    void* cell = pair_cache.allocate();
    return cell == nullptr ? nullptr : new (cell) ChannelPair;
}

void ChannelPair::let_go() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    this->~ChannelPair();
    pair_cache.free(this);
}

void ChannelPair::lose_end() {
    if (ends_left_.fetch_sub(1, std::memory_order_acq_rel) == 1) charge.give_back();
}

Endpoint::Endpoint(ChannelPair& pair, uint32_t side)
    : Object(kType, &pair.lock), pair_(pair), side_(side) {}

Result<Endpoint::TwoEnds> Endpoint::create_pair(Budget& budget) {
    ChannelPair* pair = ChannelPair::allocate();
    if (pair == nullptr) return Fail(Error::NOMEM);
    TwoEnds result;
    for (uint32_t side = 0; side < 2; ++side) {
        auto end = ObjectStorage<Endpoint>::create(budget, *pair, side);
        if (!end) {
            // Each end that exists lets go of the pair when it is freed.
            for (uint32_t missing = side; missing < 2; ++missing) {
                pair->lose_end();
                pair->let_go();
            }
            return Fail(end.error());
        }
        result.ends[side] = end.take();
    }
    pair->charge = TRY(budget.charge(sizeof(ChannelPair)));
    for (uint32_t side = 0; side < 2; ++side) {
        Endpoint& end = *result.ends[side];
        end.queue_charge_ = TRY(budget.charge(MessageQueue::kBytes));
        TRY(end.queue_.create());
        pair->ids[side] = end.id();
    }
    // From here on nothing fails.
    trace<TraceEvent::channel_create>(static_cast<uint64_t>(pair->ids[0]),
                                      static_cast<uint64_t>(pair->ids[1]));
    pair->ends[0] = result.ends[0].get();
    pair->ends[1] = result.ends[1].get();
    for (const Ref<Endpoint>& end : result.ends) end->publish(end->readiness());
    return result;
}

void Endpoint::free_memory() {
    ChannelPair& pair = pair_;
    ObjectStorage<Endpoint>::free(*this);
    pair.let_go();
}

// ---- State --------------------------------------------------------------------------------------

void Endpoint::become(EndpointState next) {
    if (kDebugBuild && static_cast<uint32_t>(next) != static_cast<uint32_t>(state_) + 1) {
        panic_about(*this, "an endpoint went from one state to another that does not follow it");
    }
    state_ = next;
}

void Endpoint::record_message(uint64_t header, uint64_t txid, uint32_t size, uint32_t handles,
                              uint32_t queued) const {
    const Endpoint* other = peer();
    const EndpointState peer_state = other == nullptr ? EndpointState::kClosed : other->state_;
    record(header, static_cast<uint64_t>(id()), static_cast<uint64_t>(pair_.ids[1 - side_]), txid,
           KAIROS_TRACE_MESSAGE(size, handles, queued, state_, peer_state));
}

Endpoint* Endpoint::peer() const { return pair_.ends[1 - side_].load(std::memory_order_relaxed); }

uint32_t Endpoint::readiness() const {
    uint32_t ready = 0;
    if (can_receive()) ready |= KAIROS_POLLIN;
    if (can_send() && !peer()->queue_.full()) ready |= KAIROS_POLLOUT;
    if (hung_up()) ready |= KAIROS_POLLHUP;
    return ready;
}

uint32_t Endpoint::holding_signals() const {
    uint32_t signals = user_signals_;
    const uint32_t ready = readiness();
    if ((ready & KAIROS_POLLIN) != 0) signals |= KPORT_BIND_READABLE;
    if ((ready & KAIROS_POLLOUT) != 0) signals |= KPORT_BIND_WRITABLE;
    if ((ready & KAIROS_POLLHUP) != 0) signals |= KPORT_BIND_PEER_CLOSED;
    return signals;
}

kairos_info_channel Endpoint::describe() {
    LockGuard held(guard());
    return {.peer_id = static_cast<uint64_t>(pair_.ids[1 - side_]),
            .state = static_cast<uint32_t>(state_),
            .queued = queue_.count(),
            .owners_handle = owners(OwnerClass::kHandle),
            .owners_fd = owners(OwnerClass::kDescriptor),
            .owners_other = owners(OwnerClass::kOther),
            .hints = hint()};
}

// ---- Waking -------------------------------------------------------------------------------------

// The calling thread was killed after it was woken, and takes nothing any more: what is there is
// for the next in line.
Fail Endpoint::leave_to_next(WaitSource& line) {
    WakeBatch wakes;
    LockGuard held(guard());
    line.wake_one(WakeReason::kData, wakes);
    return Fail(Error::INTR);
}

// ---- Closing ------------------------------------------------------------------------------------

bool Endpoint::on_unowned() {
    count(Counter::channel_closes);
    WakeBatch wakes;
    LockGuard held(guard());
    if (!open()) return false;  // closed before, and opened to a debugger since
    become(EndpointState::kClosing);
    trace<TraceEvent::endpoint_closing>(
        static_cast<uint64_t>(id()), static_cast<uint64_t>(pair_.ids[1 - side_]), queue_.count());
    Endpoint* other = peer();
    pair_.ends[side_] = nullptr;
    publish(readiness());
    close(wakes);
    for (WaitSource* source : {&receivers_, &senders_, &callers_}) {
        source->wake_all(WakeReason::kClose, wakes, guard());
    }
    if (other != nullptr) {
        other->publish(other->readiness());
        for (WaitSource* source : {&other->receivers_, &other->senders_, &other->callers_}) {
            source->wake_all(WakeReason::kHup, wakes, guard());
        }
        other->raise(KPORT_BIND_PEER_CLOSED, WakeReason::kHup, wakes);
    }
    return true;
}

// Drops a queued message, which may be large and carry handles. One that a receiver is still
// copying is left to it.
bool Endpoint::wind_up() {
    Message doomed;  // closes its handles and frees its frames without the lock
    LockGuard held(guard());
    if (turn_taken_) return false;
    if (queue_.empty()) {
        become(EndpointState::kClosed);
        trace<TraceEvent::endpoint_closed>(static_cast<uint64_t>(id()),
                                           static_cast<uint64_t>(pair_.ids[1 - side_]));
        return true;
    }
    queue_.pop(doomed);
    trace_message<TraceEvent::drop>(doomed.txid, doomed.size(), doomed.handles.count(),
                                    queue_.count());
    return false;
}

bool Endpoint::dismantle() {
    // Reached without having had an owner when creation failed half-way.
    queue_.destroy();
    queue_charge_.give_back();
    pair_.lose_end();
    return true;
}
