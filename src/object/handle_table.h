// HandleTable: the handles of one process. A flat table of slots; a handle's value is its slot and
// the slot's generation, so a closed handle stays invalid until its slot has been used again 2^20
// times.
//
// Look-up takes no lock and counts no reference. Each slot publishes one word (generation, type,
// rights; zero when nothing is there) after the object's address is in place and withdraws it
// before the address goes; a reader that sees the same generation before and after reading the
// address has read that handle's object, which cannot be freed under it (see Object). All changes
// are made under the table's lock.
//
// Making room comes first and can fail; what follows cannot: see SlotReservation (room for handles
// to come) and TransferReservation (handles about to leave).
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "abi/info.h"
#include "base/result.h"
#include "base/types.h"
#include "object/budget.h"
#include "object/cap.h"
#include "object/through.h"

using HandleValue = kairos_handle_t;

// What a look-up finds. The object is borrowed: valid until this hart leaves the kernel or the
// thread blocks.
struct FoundHandle {
    Object* object;
    ObjectType type;
    Rights rights;
};

// Free slots set aside (HandleTable::reserve); those not used are given back. Neither this nor a
// TransferReservation moves: each stands where the operation that needs it does.
class SlotReservation {
  public:
    SlotReservation() {}
    SlotReservation(const SlotReservation&) = delete;
    SlotReservation& operator=(const SlotReservation&) = delete;
    ~SlotReservation() {
        if (installed_ != (1u << count_) - 1) give_back();
    }

    uint32_t count() const { return count_; }
    // What the handle in the i-th reserved slot will be called.
    HandleValue value(uint32_t i) const;
    // Puts a cap into the i-th reserved slot. False if it was revoked meanwhile; the cap is
    // dropped then. Cannot fail otherwise. No lock is held.
    bool install(uint32_t i, OwnedCap cap);

  private:
    friend class HandleTable;

    void give_back();

    HandleTable* table_ = nullptr;
    uint32_t count_ = 0;
    uint32_t installed_ = 0;  // bit i: slot i is in use
    uint32_t slots_[KCHANNEL_MAX_MSG_HANDLES];
};

// Handles that are about to leave their table (HandleTable::reserve_transfer): nobody can use,
// close or send them meanwhile, and they come back, under the same values, unless the transfer is
// committed.
class TransferReservation {
  public:
    TransferReservation() {}
    TransferReservation(const TransferReservation&) = delete;
    TransferReservation& operator=(const TransferReservation&) = delete;
    ~TransferReservation() {
        if (count_ != 0) put_back();
    }

    uint32_t count() const { return count_; }
    // The point of no return: moves the caps out, in order, and frees their slots. Cannot fail.
    CapChain commit();

  private:
    friend class HandleTable;

    void put_back();

    HandleTable* table_ = nullptr;
    uint32_t count_ = 0;
    uint32_t slots_[KCHANNEL_MAX_MSG_HANDLES];
};

class HandleTable final : public CapTable {
  public:
    // `process`: whose handles these are, for histories and lists.
    explicit HandleTable(Budget& budget, const Object* process = nullptr)
        : CapTable(process), budget_(budget), charge_(budget.charge(0).take()) {}
    ~HandleTable() { check(chunk_count_ == 0, "a handle table goes that was not dismantled"); }
    HandleTable(const HandleTable&) = delete;
    HandleTable& operator=(const HandleTable&) = delete;

    // -EBADF.
    Result<FoundHandle> find(HandleValue value) const;
    // The one door to an object: -EBADF, -ENOTSUP for another type, -EACCES for missing rights.
    template <typename T>
    Result<T*> resolve(HandleValue value, Rights needed) const {
        const FoundHandle found = TRY(find(value));
        if (found.type != T::kType) return Fail(Error::NOTSUP);
        if (!found.rights.covers(needed)) return Fail(Error::ACCES);
        return static_cast<T*>(found.object);
    }

    // The same, with a reference to the object, for operations that block or take long.
    template <typename T>
    Result<Ref<T>> get(HandleValue value, Rights needed) const {
        T* object = TRY(resolve<T>(value, needed));
        if (!object->try_retain()) return Fail(Error::BADF);
        return Ref<T>(*object, kAdoptReference);
    }

    // What names a handle that was found to BlockingUse.
    Through through(HandleValue value) { return {this, value}; }
    Status begin_use(uint64_t which, Waiter& waiter) override;

    // Room for `count` more handles. -EMFILE, -EDQUOT, -ENOMEM.
    Status reserve(uint32_t count, SlotReservation& room);
    // Puts one cap in. On failure the cap is dropped.
    Result<HandleValue> insert(OwnedCap cap);

    // Takes handles out for a transfer, all or none. -EBADF, -EACCES (KRIGHT_TRANSFER is missing),
    // -EINVAL (one is named twice, or refers to `forbidden` or `also_forbidden`).
    Status reserve_transfer(std::span<const HandleValue> values, const Object* forbidden,
                            const Object* also_forbidden, TransferReservation& leaving);

    // Takes a handle out for good; dropping the result closes it. -EBADF.
    Result<OwnedCap> remove(HandleValue value);
    // A duplicate that is in no table yet, with `rights`, or, if they are none, all of the
    // source's. -EBADF, -EACCES (no KRIGHT_DUPLICATE, or more rights than the source has), -EDQUOT,
    // -ENOMEM.
    Result<OwnedCap> derive(HandleValue source, Rights rights,
                            OwnerClass owner = OwnerClass::kHandle);
    // Makes `node` a child of a handle that was found to refer to `object`. -EBADF if it has been
    // closed or revoked meanwhile.
    Status attach(HandleValue value, const Object& object, Derivation& node);
    // Narrows in place. -EBADF, -EACCES.
    Status limit(HandleValue value, Rights rights);
    // Closes all that derive from the handle, which stays. May be preempted. -EBADF.
    Status revoke_descendants(HandleValue value);
    // What derives from it is counted step by step. May be preempted. -EBADF.
    Result<kairos_info_lineage> describe_lineage(HandleValue value);

    // Describes what is in a slot, also while it is reserved there. False: nothing is. For those
    // who look at the process from outside: they count it. May be preempted.
    bool describe_slot(uint32_t index, kairos_handle_entry& entry);
    uint32_t used() const { return used_.load(std::memory_order_relaxed); }
    // Closes a bounded number of handles; false when none is left. For a process that has ended:
    // nobody uses the table any more.
    bool close_some();
    // Gives back the memory of a table without handles, and its charge.
    void dismantle();

  private:
    friend class Lineage;
    friend class SlotReservation;
    friend class TransferReservation;

    struct Slot {
        std::atomic<uint64_t> word{0};  // generation << 32 | type << 16 | rights; 0: not in use
        std::atomic<Object*> object{nullptr};
        Cap* cap = nullptr;                 // also while reserved for a transfer; guarded by lock_
        uint32_t last_was_revoked : 1 = 0;  // the handle of the generation before this
        uint32_t generation : 20 = 1;       // 1 .. 2^20 - 1
        uint32_t next_free = 0;
    };
    static constexpr uint32_t kSlotBits = 12;
    static constexpr uint32_t kSlotsPerChunk = kPageSize / sizeof(Slot);
    static constexpr uint32_t kChunks = KHANDLE_MAX_PER_PROCESS / kSlotsPerChunk;
    static constexpr uint32_t kNoSlot = UINT32_MAX;
    static_assert(KHANDLE_MAX_PER_PROCESS == 1u << kSlotBits);
    static_assert(sizeof(Slot) == 32);

    Slot& slot(uint32_t index) const {
        return chunks_[index / kSlotsPerChunk].load(
            std::memory_order_relaxed)[index % kSlotsPerChunk];
    }
    static uint32_t index_of(HandleValue value) { return value & ((1u << kSlotBits) - 1); }
    static HandleValue value_of(uint32_t index, const Slot& slot) {
        return slot.generation << kSlotBits | index;
    }

    // A node that stays in its tree, whatever becomes of the handle, until it is unpinned.
    struct Pinned {
        Cap& cap;
        Ref<Object> object;
    };
    // -EBADF.
    Result<Pinned> pin(HandleValue value);

    // The slot of a handle that is in use, or kNoSlot.
    uint32_t live_slot(HandleValue value) const REQUIRES(lock_);
    Status make_room(uint32_t count) REQUIRES(lock_);
    uint32_t take_free_slot() REQUIRES(lock_);
    void free_slot(uint32_t index) REQUIRES(lock_);
    void publish(uint32_t index, Cap& cap, Object& object) REQUIRES(lock_);
    void withdraw(uint32_t index) REQUIRES(lock_);
    OwnedCap leave(uint32_t index) REQUIRES(lock_);
    // Ends a reservation: the handle is usable again, or, if it was revoked meanwhile, its slot is
    // freed and the shell returned to be dropped without the lock.
    OwnedCap restore(uint32_t index);
    // Clears the slot of a cap that is being revoked; false if it is not in use here (reserved, or
    // gone already).
    bool forget(Cap& cap) override;

    Budget& budget_;  // counted by charge_
    mutable SpinLock lock_{LockRank::kHandleTable};
    std::atomic<Slot*> chunks_[kChunks] = {};
    uint32_t chunk_count_ GUARDED_BY(lock_) = 0;
    uint32_t taken_once_ GUARDED_BY(lock_) = 0;        // slots from here on have never been used
    uint32_t first_free_ GUARDED_BY(lock_) = kNoSlot;  // of those before
    uint32_t free_count_ GUARDED_BY(lock_) = 0;
    uint32_t closing_from_ = 0;  // close_some's progress
    std::atomic<uint32_t> used_{0};
    Charge charge_ GUARDED_BY(lock_);  // for the chunks
};
