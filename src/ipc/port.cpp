#include "ipc/port.h"

#include <algorithm>

#include "arch/user_copy.h"
#include "object/bridge.h"
#include "object/object_storage.h"
#include "sched/blocking_use.h"
#include "sync/preemption.h"
#include "trace/counters.h"
#include "trace/records.h"
#include "wait/parking.h"

namespace {
// Marks, among the sleepers on the base wait source, those in port_wait: they take a packet.
struct PacketTaker : Offer {};
PacketTaker packet_taker;

// Waiters that are woken for a packet one by one.
constexpr uint32_t kWokenForPacket = 8;

// Packets copied out under one hold of the lock.
constexpr uint32_t kCopiedPerHold = 8;
}  // namespace

Port::Port() : Object(kType, &lock_) {}

Result<Ref<Port>> Port::create(Budget& budget) { return ObjectStorage<Port>::create(budget); }

void Port::free_memory() { ObjectStorage<Port>::free(*this); }

kairos_info_port Port::describe() {
    LockGuard held(lock_);
    return {.pending = pending_count_, .bindings = bound_count_};
}

// ---- Bindings -----------------------------------------------------------------------------------

Status Port::bind(Object& object, uint64_t key, uint32_t signals) {
    WakeBatch wakes;
    LockGuard held(object.guard());
    // Its last owner has gone and takes its binding away.
    if (!object.owned()) return Fail(Error::BADF);
    Binding& binding = object.binding();
    if (binding.sink != nullptr) binding.sink->detach(object);
    {
        LockGuard port(lock_);
        if (closed()) return {};  // bound, and unbound as the port went
        binding.object = &object;
        binding.packet.key = key;
        bound_.push_back(binding);
        ++bound_count_;
    }
    binding.sink = this;
    binding.signals = signals;
    const uint32_t holding = object.holding_signals() & signals;
    if (holding != 0) deliver(object, holding, 1, wakes);
    return {};
}

Status Port::unbind(Object& object) {
    LockGuard held(object.guard());
    if (object.binding().sink != this) return Fail(Error::NOENT);
    detach(object);
    return {};
}

void Port::detach(Object& object) {
    Binding& binding = object.binding();
    LockGuard held(lock_);
    binding.sink = nullptr;
    bound_.remove(binding);
    --bound_count_;
    if (binding.packet.node.linked()) {
        pending_.remove(binding.packet);
        if (--pending_count_ == 0) publish(readiness());
    }
}

// ---- Events -------------------------------------------------------------------------------------

void Port::deliver(Object& object, uint32_t signals, uint32_t events, WakeBatch& batch) {
    PacketNode& packet = object.binding().packet;
    LockGuard held(lock_);
    if (closed()) return;
    trace<TraceEvent::packet>(static_cast<uint64_t>(id()), static_cast<uint64_t>(object.id()),
                              signals, events);
    if (packet.node.linked()) {
        packet.observed |= signals;
        packet.count = packet.count + events < events ? UINT32_MAX : packet.count + events;
        count(Counter::port_coalesced);
        return;
    }
    packet.observed = signals;
    packet.count = events;
    make_pending(packet, batch);
}

void Port::make_pending(PacketNode& packet, WakeBatch& batch) {
    pending_.push_back(packet);
    if (++pending_count_ == 1) publish(readiness());
    wake_for_packet(batch);
}

// If many come before him who takes it, all are woken, and look themselves.
void Port::wake_for_packet(WakeBatch& batch) {
    WaitSource& source = base_wait();
    source.notify_watchers(batch);
    for (uint32_t woken = 0; woken < kWokenForPacket;) {
        Waiter* waiter = source.first_waiter();
        if (waiter == nullptr) return;
        const bool takes = waiter->offer() == &packet_taker;
        if (!source.take(*waiter, WakeReason::kData)) continue;
        batch.add(*waiter);
        if (takes) return;
        ++woken;
    }
    source.wake_all(WakeReason::kData, batch, lock_);
}

Status Port::queue(uint64_t key, uint32_t observed) {
    WakeBatch wakes;
    LockGuard held(lock_);
    PacketNode* packet = user_free_.pop_front();
    if (packet == nullptr) {
        if (user_used_once_ == KPORT_MAX_QUEUE) return Fail(Error::AGAIN);
        packet = &user_packets_[user_used_once_++];
    }
    packet->key = key;
    packet->observed = observed;
    packet->count = 1;
    make_pending(*packet, wakes);
    return {};
}

// ---- Waiting ------------------------------------------------------------------------------------

void Port::consumed(PacketNode& packet) {
    trace<TraceEvent::packet_take>(static_cast<uint64_t>(id()), packet.key, packet.observed,
                                   packet.count);
    pending_.remove(packet);
    if (--pending_count_ == 0) publish(readiness());
    if (is_user_packet(packet)) user_free_.push_front(packet);
    count(Counter::port_packets);
}

Result<uint32_t> Port::copy_out(VirtualAddress out, uint32_t max) {
    uint32_t copied = 0;
    while (copied < max) {
        if (copied != 0) preemption_point();
        LockGuard held(lock_);
        const uint32_t end = std::min(max, copied + kCopiedPerHold);
        for (; copied < end; ++copied) {
            PacketNode* packet = pending_.front();
            if (packet == nullptr) return copied;
            const kairos_port_packet image{packet->key, packet->observed, packet->count};
            if (!arch::copy_to_user(out + copied * sizeof(image), &image, sizeof(image))) {
                if (copied != 0) return copied;
                return Fail(Error::FAULT);
            }
            consumed(*packet);
        }
    }
    return copied;
}

// The packet stays; somebody else may be able to take it.
Fail Port::leave_to_next(Error error) {
    WakeBatch wakes;
    LockGuard held(lock_);
    wake_for_packet(wakes);
    return Fail(error);
}

Result<uint32_t> Port::wait(VirtualAddress out, uint32_t max, bool nonblocking, Instant deadline,
                            Through through) {
    BlockingUse use(*this, through);
    while (true) {
        auto copied = copy_out(out, max);
        if (!copied) return leave_to_next(copied.error());
        if (*copied != 0) return *copied;

        LockGuard held(lock_);
        if (!pending_.empty()) continue;
        if (closed()) return Fail(Error::CANCELED);
        if (nonblocking) return Fail(Error::AGAIN);
        TRY(use.begin());
        const WakeReason reason =
            base_wait().block(held, base_wait().sequence(), deadline, &packet_taker);
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
        if (current_waiter().killed()) return leave_to_next(Error::INTR);
    }
}

Result<int64_t> Port::read_bytes(const ByteRequest& request) {
    const uint64_t packets = request.size / sizeof(kairos_port_packet);
    if (packets == 0) return Fail(Error::INVAL);
    const auto max = static_cast<uint32_t>(std::min<uint64_t>(packets, UINT32_MAX));
    const uint32_t taken =
        TRY(wait(request.address, max, request.nonblocking, Instant::never(), request.through));
    return taken * sizeof(kairos_port_packet);
}

const Bridge* Port::bridge() const {
    static constexpr Bridge kBridge{
        .read = {right::kWait}, .control = {right::kManage}, .duplicate = {right::kDuplicate}};
    return &kBridge;
}

// ---- The end ------------------------------------------------------------------------------------

bool Port::on_unowned() {
    WakeBatch wakes;
    LockGuard held(lock_);
    close(wakes);
    return true;
}

bool Port::wind_up() {
    Ref<Object> object;
    {
        LockGuard held(lock_);
        Binding* binding = bound_.front();
        if (binding == nullptr) return true;
        // Bound objects are detached before their last reference goes.
        check(binding->object->try_retain(), "a port has a binding of an object that is gone");
        object = Ref<Object>(*binding->object, kAdoptReference);
    }
    LockGuard held(object->guard());
    if (object->binding().sink == this) detach(*object);
    return false;
}
