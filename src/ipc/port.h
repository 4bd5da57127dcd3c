// Port: a queue of packets with keys. Objects are bound to it; each binding owns one packet, into
// which further events are merged while it is pending. So no event is lost and none allocates.
// User packets have a bounded store of their own.
//
// Lock order: a bound object's guard, then the port's lock. The port therefore takes its bindings
// down by finding an object under its own lock and then locking in the right order (wind_up).
//
// Sleeping: both port_wait and object_wait sleep on the base wait source. A packet wakes waiters in
// order, up to and including the first one that will take it.
#pragma once

#include "abi/info.h"
#include "base/list.h"
#include "object/handle_table.h"

class Port final : public Object, private EventSink {
  public:
    static constexpr ObjectType kType = ObjectType::kPort;
    static constexpr Rights kInitialRights{KRIGHT_WAIT | KRIGHT_MANAGE | KRIGHT_DUPLICATE |
                                           KRIGHT_WRITE};

    // -EDQUOT, -ENOMEM.
    static Result<Ref<Port>> create(Budget& budget);

    // Binds `object`, replacing what it was bound to; what holds already is reported at once.
    // -EBADF if it is going at this moment.
    Status bind(Object& object, uint64_t key, uint32_t signals);
    // -ENOENT if it is not bound to this port.
    Status unbind(Object& object);
    // Adds a user packet. -EAGAIN when KPORT_MAX_QUEUE are pending.
    Status queue(uint64_t key, uint32_t observed);
    // Copies out up to `max` packets, at least one. -EFAULT, -EAGAIN, -ETIMEDOUT, -EINTR,
    // -ECANCELED when the port goes. BLOCKS while there is none.
    Result<uint32_t> wait(VirtualAddress out, uint32_t max, bool nonblocking, Instant deadline,
                          Through through);

    // Whole packets. -EINVAL: no room for one; errors as wait().
    Result<int64_t> read_bytes(const ByteRequest& request) override;
    const Bridge* bridge() const override;
    bool pollable() const override { return true; }
    uint32_t readiness() const override { return pending_.empty() ? 0 : KAIROS_POLLIN; }
    kairos_info_port describe();

  private:
    template <typename T>
    friend class ObjectStorage;

    Port();
    void deliver(Object& object, uint32_t signals, uint32_t events, WakeBatch& batch) override;
    void detach(Object& object) override;
    bool on_unowned() override;
    bool wind_up() override;
    void free_memory() override;

    // The lock is held.
    void make_pending(PacketNode& packet, WakeBatch& batch);
    void wake_for_packet(WakeBatch& batch);
    void consumed(PacketNode& packet);
    bool is_user_packet(const PacketNode& packet) const {
        return &packet >= user_packets_ && &packet < user_packets_ + KPORT_MAX_QUEUE;
    }
    Fail leave_to_next(Error error);
    // Moves packets to user memory; how many, or -EFAULT if not even the first could be.
    Result<uint32_t> copy_out(VirtualAddress out, uint32_t max);

    SpinLock lock_{LockRank::kPort};  // the guard; guards all below
    uint32_t bound_count_ = 0;
    uint32_t pending_count_ = 0;
    uint32_t user_used_once_ = 0;  // slots beyond this were never used
    List<PacketNode, &PacketNode::node> pending_;
    List<PacketNode, &PacketNode::node> user_free_;
    List<Binding, &Binding::bound_node> bound_;
    PacketNode user_packets_[KPORT_MAX_QUEUE];
};
