// Cap: a handle as the kernel sees it, whatever table it is in or message it travels with: a node
// in the delegation tree of its object. Duplicates are children; moving keeps the node. What a
// descriptor holds is a cap too, of another owner class, which stays in its table of descriptors
// until it is closed (fd/descriptor_table.h).
//
//     in a table ──take──> reserved ──commit──> in flight ──install──> in a table
//         │                    │ (put back on failure)   │
//         └───────── close, revoke, or the end of what holds it ────────> gone
//
// In flight it is with somebody who delivers it, or in a queue: then, if it refers to an endpoint,
// it names the endpoint whose queue that is, its *carrier*.
//
// Revocation reaches a cap wherever it is: it marks the node and takes the object out of it; who
// holds such a shell delivers nothing in its place and drops it.
//
// Tree links are guarded by the lineage lock of the object. A closed cap that still has two or more
// children stays in the tree as a *ghost*, so that closing takes bounded time however many
// children there are; a ghost left with one child is spliced out, so there are always fewer ghosts
// than living caps. What users see skips ghosts: the children of a closed handle are its parent's.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/result.h"
#include "base/types.h"
#include "object/object.h"

class CapChain;
class HandleTable;

class Cap {
  public:
    // The object, or null once revoked. Borrowed: see Object.
    Object* object() const { return object_.load(std::memory_order_acquire); }
    // Marked: never to be installed or derived from again.
    bool revoked() const { return revoked_.load(std::memory_order_acquire); }
    Rights rights() const { return rights_; }
    uint64_t id() const { return id_; }
    // What has become of it on its way, for the object's history; `to_process` 0: not known. The
    // caller holds the cap.
    void note_transfer(TransferEvent event, uint64_t to_process = 0) const {
        Object* travels = object();
        if (travels != nullptr) travels->note_transfer(event, traveller_of(), to_process, rights_);
    }

  private:
    uint64_t traveller_of() const { return traveller_of_.load(std::memory_order_relaxed); }
    void set_traveller_of(uint64_t process) {
        traveller_of_.store(process, std::memory_order_relaxed);
    }

    friend class Collection;
    friend class Lineage;
    friend class LineageWalk;
    friend class HandleTable;
    friend class DescriptorTable;
    friend class SlotReservation;
    friend class CapChain;
    friend class Derivation;

    std::atomic<Object*> object_{nullptr};  // counted, and an owner; null: revoked, or a ghost
    OwnerClass owner_ = OwnerClass::kHandle;
    Rights rights_{};  // guarded by the table's lock, or by the holder; and see Lineage::limit
    uint64_t id_ = 0;
    Budget* budget_ = nullptr;  // counted; charged for this node

    // Where it is, while in a table or reserved there, and what it is called there: a handle or the
    // number of a descriptor. Written under the table's lock; set, when it comes in, under the
    // lineage lock too.
    std::atomic<CapTable*> table_{nullptr};
    uint32_t value_ = 0;
    Cap* next_in_chain_ = nullptr;           // the holder's: the next handle of the same message
    Object* carrier_ = nullptr;              // guarded by the lineage lock; see above
    std::atomic<uint64_t> traveller_of_{0};  // while it travels: the process that sent it
    // For those who look at the tree: the id of the endpoint whose queue it lies in, whatever it
    // refers to, and of a derivation what it is part of.
    std::atomic<uint64_t> lies_in_{0};

    // Whose lineage lock guards the links below; null once the node is out of the tree for good.
    std::atomic<Object*> tree_{nullptr};

    // Guarded by the lineage lock.
    uint32_t pins_ = 0;           // walks that stand on this node: it stays linked
    bool is_derivation_ = false;  // see below
    bool linked_ = false;
    bool ghost_ = false;                    // stands for its children only
    List<Waiter, &Waiter::use_node> uses_;  // calls that block through this handle
    bool held_ = true;  // in a table, a reservation or a message, which will let go of it
    std::atomic<bool> revoked_{false};
    Cap* parent_ = nullptr;  // null: a root of the object's forest
    Cap* first_child_ = nullptr;
    Cap* next_sibling_ = nullptr;
    Cap* previous_sibling_ = nullptr;
};

// What was made through a handle and is none itself, but goes with it when it is revoked: a
// mapping. It has a node in the tree, a child of that handle without children of its own. It
// neither owns the object nor is found by anybody; whoever made it closes it (Lineage::close) when
// it ends.
class Derivation : public Cap {
  public:
    // The handle was revoked: the node is marked, and stays until this returns. Ends what it stands
    // for, if that has not ended. No lock is held; may be preempted.
    virtual void revoke() = 0;

  protected:
    // `part_of`: the id of an object that it is part of, and `rights`, what it allows, are for
    // those who look at the tree.
    Derivation(uint64_t part_of, Rights rights) {
        is_derivation_ = true;
        rights_ = rights;
        lies_in_.store(part_of, std::memory_order_relaxed);
    }
    ~Derivation() = default;

  private:
    friend class Lineage;
    // Nobody knows the node any more. The lineage lock may be held.
    virtual void free_node() = 0;
};

// A cap that is in no table: made but not installed yet, or in flight. Closes it when it goes.
class OwnedCap {
  public:
    OwnedCap() = default;
    explicit OwnedCap(Cap& cap) : cap_(&cap) {}
    OwnedCap(OwnedCap&& other) noexcept : cap_(std::exchange(other.cap_, nullptr)) {}
    OwnedCap& operator=(OwnedCap&& other) noexcept {
        std::swap(cap_, other.cap_);
        return *this;
    }
    // No lock may be held: closing the last handle to an object ends its public life.
    ~OwnedCap();

    // The first handle to an object that has none yet, or another root. -EDQUOT, -ENOMEM.
    static Result<OwnedCap> create_root(Object& object, Rights rights, Budget& budget,
                                        OwnerClass owner = OwnerClass::kHandle);

    explicit operator bool() const { return cap_ != nullptr; }
    Cap& operator*() const { return *cap_; }
    Cap* operator->() const { return cap_; }
    Cap* get() const { return cap_; }
    [[nodiscard]] Cap& leak() { return *std::exchange(cap_, nullptr); }

  private:
    Cap* cap_ = nullptr;
};

// The handles of a message, in order. Closes what is left in it when it goes: no lock held then.
class CapChain {
  public:
    CapChain() = default;
    CapChain(CapChain&& other) noexcept
        : first_(std::exchange(other.first_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    CapChain& operator=(CapChain&& other) noexcept {
        std::swap(first_, other.first_);
        std::swap(count_, other.count_);
        return *this;
    }
    ~CapChain() {
        while (count_ != 0) pop_front();
    }

    uint32_t count() const { return count_; }
    void push_front(OwnedCap cap) {
        cap->next_in_chain_ = first_;
        first_ = &cap.leak();
        ++count_;
    }
    OwnedCap pop_front() {
        Cap& cap = *std::exchange(first_, first_->next_in_chain_);
        --count_;
        return OwnedCap(cap);
    }
    template <typename Visit>
    void for_each(Visit visit) const {
        for (Cap* cap = first_; cap != nullptr; cap = cap->next_in_chain_) visit(*cap);
    }

  private:
    Cap* first_ = nullptr;
    uint32_t count_ = 0;
};
