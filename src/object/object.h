// Object: the base of every kernel object.
//
// Two lifetimes. *References* keep the memory: a Ref, a handle and a blocked call each count one.
// *Owners* keep it in use: handles (in a table or in flight), bridged descriptors, and a few
// others. When the last owner goes, on_unowned() ends the object's public life (an endpoint closes,
// a port cancels its waiters); when the last reference goes, it is dismantled in bounded steps and
// freed.
//
// The states of its life, and what may follow what, are in lifecycle.h; what happened to it lately
// is in its history (history.h).
//
// A pointer found in a handle table may be used without a reference until the hart next leaves the
// kernel or switches threads: memory is given back only after every hart has done so (reclaim.h).
// An operation that blocks holds a Ref across the block.
//
// Locking: `guard()` protects the object's state and its base wait source; the two endpoints of a
// channel share one, every other object has its own. Lineage has a lock of its own.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/assert.h"
#include "base/atomic_flag.h"
#include "base/list.h"
#include "base/ref.h"
#include "base/result.h"
#include "base/tree.h"
#include "base/types.h"
#include "object/history.h"
#include "object/lifecycle.h"
#include "object/reclaim.h"
#include "object/through.h"
#include "sync/spin_lock.h"
#include "wait/wait_source.h"

#ifndef CONFIG_IPC_POLL_HINT_STRICT
#define CONFIG_IPC_POLL_HINT_STRICT KAIROS_DEBUG
#endif
inline constexpr bool kStrictPollHints = CONFIG_IPC_POLL_HINT_STRICT != 0;

struct Bridge;
class Budget;
class Cap;
class Object;
class Transit;

// Why an object is owned.
enum class OwnerClass : uint8_t { kHandle = 0, kDescriptor = 1, kOther = 2 };

// A packet of a port, pending or not; guarded by the port's lock.
struct PacketNode {
    ListNode node;  // in the port's pending packets
    uint64_t key = 0;
    uint32_t observed = 0;
    uint32_t count = 0;
};

// A read or write of bytes, through a handle or a descriptor, whose rights have been looked at.
struct ByteRequest {
    VirtualAddress address;  // of the caller's buffer, which lies in user space
    uint64_t size;
    bool nonblocking;
    Through through;
};

// Where an object's events go when it is bound: a port (ipc/port.h). The object's guard is held.
class EventSink {
  public:
    // Adds `events` events of `signals` to the packet of the object's binding.
    virtual void deliver(Object& object, uint32_t signals, uint32_t events, WakeBatch& batch) = 0;
    // Takes the object's binding away, with its pending packet.
    virtual void detach(Object& object) = 0;

  protected:
    ~EventSink() = default;
};

// An object's one place on a port. It owns the packet, so no event ever needs memory.
struct Binding {
    // Guarded by the object's guard. The port detaches its bindings before it goes.
    EventSink* sink = nullptr;
    uint32_t signals = 0;
    // Guarded by the port's lock.
    Object* object = nullptr;
    ListNode bound_node;  // in the port's bindings
    PacketNode packet;
};

class Object {
  public:
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    ObjectType type() const { return type_; }
    ObjectId id() const { return id_; }
    Lifecycle lifecycle() const { return lifecycle_.load(std::memory_order_acquire); }
    // `operation` has found the object through a handle: warns if that cannot be, because it is
    // not yet, or no more, what a handle may name.
    void expect_usable(const char* operation) const {
        if (!lifecycle::usable(lifecycle())) [[unlikely]] {
            warn_unless_closed_meanwhile(operation);
        }
    }
    // What happened to it lately; null for the few that exist from the beginning.
    const ObjectHistory* history() const { return history_; }
    // A handle to it travels; see ObjectHistory.
    void note_transfer(TransferEvent event, uint64_t from_process, uint64_t to_process,
                       Rights rights);

    // ---- References ----
    void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
    // For a pointer that is not known to be counted: false if the object is going already.
    [[nodiscard]] bool try_retain() {
        uint32_t count = references_.load(std::memory_order_relaxed);
        do {
            if (count == 0) return false;
        } while (!references_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed));
        return true;
    }
    // May be called under any lock: the last one only queues the object for dismantling.
    void release() {
        const uint32_t before = references_.fetch_sub(1, std::memory_order_acq_rel);
        if (before <= 1) [[unlikely]] {
            lose_last_reference(before);
        }
    }
    uint32_t references() const { return references_.load(std::memory_order_relaxed); }

    // References that another object keeps (object/kept.h).
    void keep() {
        note(ReferenceEvent::kGet, references_.fetch_add(1, std::memory_order_relaxed) + 1);
    }
    void unkeep();
    // A reference that is counted already is kept from now on.
    void note_kept() { note(ReferenceEvent::kGet, references()); }

    // ---- Owners ----
    // Each owner also holds a reference. Losing the last one calls on_unowned: no lock is held.
    // Dropping what was never added warns, and changes nothing.
    void add_owner(OwnerClass owner = OwnerClass::kOther);
    void drop_owner(OwnerClass owner = OwnerClass::kOther);
    // Warns if the owners do not add up (audit.cpp). No lock is held; may be preempted.
    void audit_owners();
    bool owned() const { return owners_.load(std::memory_order_relaxed) != 0; }
    uint32_t owners(OwnerClass owner) const;
    uint32_t handles() const { return owners(OwnerClass::kHandle); }
    // Whether it has an owner that is not a handle in a queue.
    bool held() const;
    // What is known of it while it travels; null unless it is an endpoint.
    virtual Transit* transit() { return nullptr; }
    const Transit* transit() const { return const_cast<Object*>(this)->transit(); }

    // ---- State and waiting ----
    SpinLock& guard() RETURN_CAPABILITY(guard_) { return *guard_; }
    // Threads in kairos_object_wait; guarded by the guard.
    WaitSource& base_wait() { return base_wait_; }
    // No use to anybody since its last owner went, so that nobody may wait for it. The guard is
    // held.
    bool closed() const { return closed_; }
    Binding& binding() { return binding_; }
    // Readiness as KAIROS_POLL* bits. The guard is held.
    virtual uint32_t readiness() const { return 0; }
    // The readiness that was last published, for those who find the guard taken. An object that
    // publishes does so, under its guard, with every change that readiness() shows, before it lets
    // go of the guard. So whoever holds the guard sees a hint that equals readiness(), and anything
    // else is a mismatch, which no lawful change explains; and whoever does not hold it sees what
    // held before or after what the holder is doing, never a third thing. Published with release,
    // read with acquire, so what one has heard of is there to be found.
    uint32_t hint() const { return hint_.load(std::memory_order_acquire); }
    static constexpr uint32_t kNoHint = UINT32_MAX;  // its type publishes none
    // readiness(), compared with the hint: a mismatch is counted, and stops a kernel that was built
    // with CONFIG_IPC_POLL_HINT_STRICT, as debug kernels are. The guard is held.
    uint32_t checked_readiness() const;
    // Whether it has a readiness that one may poll or wait for.
    virtual bool pollable() const { return raisable_signals() != 0; }
    // KPORT_BIND_* bits that this object can ever raise; 0: it cannot be bound.
    virtual uint32_t raisable_signals() const { return 0; }
    // Those that hold now and are reported when binding. The guard is held.
    virtual uint32_t holding_signals() const { return user_signals_; }
    // Tells the binding and whoever waits in object_wait that `signals` came true, `events` times.
    // The guard is held.
    void raise(uint32_t signals, WakeReason reason, WakeBatch& batch, uint32_t events = 1);
    // Readiness changed without a signal (room in a queue, a packet consumed). The guard is held.
    void readiness_changed(WakeReason reason, WakeBatch& batch) {
        if (base_wait_.watched()) base_wait_.wake_all(reason, batch, guard());
    }
    // ---- Bytes, and descriptors ----
    // How many bytes were read or written. -ENOTSUP: a type that has no such operation; otherwise
    // its own errors. May BLOCK: the caller counts the object.
    virtual Result<int64_t> read_bytes(const ByteRequest&) { return Fail(Error::NOTSUP); }
    virtual Result<int64_t> write_bytes(const ByteRequest&) { return Fail(Error::NOTSUP); }
    // How rights of its handles and of its descriptors correspond; null: it can have no descriptor.
    virtual const Bridge* bridge() const { return nullptr; }

    // User signals, bits 8 to 15; setting one that is set is an event too.
    void signal(uint32_t clear, uint32_t set);

    // For lists and reports; empty if it has none. Written once, before it is shared.
    virtual const char* name() const { return ""; }

  protected:
    // `shared_guard`: the lock of a group of objects; null: the object's own.
    Object(ObjectType type, SpinLock* shared_guard)
        : type_(type), guard_(shared_guard != nullptr ? shared_guard : &own_guard_) {}
    ~Object() = default;  // always that of the leaf class, which is known where it is called

    // The last owner has gone: closes, cancels, wakes; may take the guard. True if more is left to
    // do than a bounded piece of work: then wind_up() does it.
    // By default the object is closed and nothing is left.
    virtual bool on_unowned();
    // Ends its public life: who waits for it in object_wait, now or later, is told so (-ECANCELED).
    // The guard is held.
    void close(WakeBatch& batch) {
        closed_ = true;
        base_wait_.wake_all(WakeReason::kClose, batch, guard());
    }
    // Does a bounded piece of what on_unowned left; true when it is done. Interrupts are let in
    // between pieces.
    virtual bool wind_up() { return true; }
    // Takes down what the object holds, a bounded piece at a time; true when nothing is left. No
    // reference exists any more and no lock is held. Between pieces interrupts are let in.
    virtual bool dismantle() { return true; }

    // What readiness() shows has changed; `now` is what it shows. The guard is held.
    void publish(uint32_t now) { hint_.store(now, std::memory_order_release); }

    // For the wait sources of a leaf class: the id may be given after they are made.
    const ObjectId& id_ref() const { return id_; }

    uint32_t user_signals_ = 0;  // guarded by the guard

  private:
    friend class Collection;
    friend class Graveyard;
    friend class LineageWalk;
    friend class ObjectRegistry;
    friend class Lineage;
    template <typename T>
    friend class ObjectStorage;

    // Destroys the object and returns its memory to its cache; after the grace period.
    virtual void free_memory() = 0;

    void become(Lifecycle next);
    void tell_pollers();
    void warn_unless_closed_meanwhile(const char* operation) const;
    void note(ReferenceEvent event, uint32_t references) {
        if (history_ != nullptr) history_->record(event, references);
    }
    void lose_last_reference(uint32_t references_before);

    std::atomic<uint32_t> references_{1};
    const ObjectType type_;
    std::atomic<Lifecycle> lifecycle_{Lifecycle::kInit};
    ObjectId id_ = ObjectId::kNone;
    ObjectHistory* history_ = nullptr;  // set before it is shared
    std::atomic<uint64_t> owners_{0};   // 21 bits for each OwnerClass, so that the sum is one word
    SpinLock* const guard_;
    SpinLock own_guard_{LockRank::kObject};
    WaitSource base_wait_{id_, "readiness"};
    std::atomic<uint32_t> hint_{kNoHint};  // written under the guard
    bool closed_ = false;                  // guarded by the guard
    Binding binding_;

    // The delegation forest of the handles to this object: its roots. Guarded by lineage_lock_.
    SpinLock lineage_lock_{LockRank::kLineage};
    Cap* first_root_ = nullptr;
    uint32_t owners_in_tree_ = 0;  // nodes that own it: handles and descriptors not closed

    struct Account {
        uint64_t owners;
        uint32_t references;
        uint32_t owners_in_tree;
        bool operator==(const Account&) const = default;
        bool adds_up() const;
    };
    Account account();
    static constexpr unsigned kOwnerBits = 21;
    static constexpr uint64_t kOwnerMask = (uint64_t{1} << kOwnerBits) - 1;
    // Those that are nodes of the delegation tree.
    static constexpr uint32_t caps_in(uint64_t owners) {
        return static_cast<uint32_t>((owners & kOwnerMask) + (owners >> kOwnerBits & kOwnerMask));
    }
    static constexpr uint64_t sum_of(uint64_t owners) {
        return (owners & kOwnerMask) + (owners >> kOwnerBits & kOwnerMask) +
               (owners >> 2 * kOwnerBits);
    }

    // Nobody owns the object any more, or nobody can ever reach it.
    void end_public_life();
    static Object& of(Retired& retired);

    Retired retired_;
    TreeNode registry_node_;               // guarded by the registry's shard
    AtomicFlag winding_up_;                // in a graveyard, which holds a reference
    Object* next_in_graveyard_ = nullptr;  // once DYING
    uint64_t charged_bytes_ = 0;           // for the object itself, to charged_budget_
    Budget* charged_budget_ = nullptr;     // counted
};

inline uint64_t CapTable::process_id() const {
    return process_ == nullptr ? 0 : static_cast<uint64_t>(process_->id());
}

// Readiness without waiting: from the hint, if the guard is taken and the object has one.
uint32_t poll_readiness(Object& object);
// Audits the owners of one object, each in its turn; called when a process has ended.
void audit_next_object();

// Stops the machine with a report about an object: its state and its history (object/report.cpp).
[[noreturn]] void panic_about(const Object& object, const char* reason,
                              SourceLocation where = SourceLocation::current());
// The object that the current panic is about, or null.
const Object* subject_of_panic();
// Prints what is known of an object. Takes no lock.
void print_object(const Object& object);
