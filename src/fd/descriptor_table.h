// DescriptorTable: the descriptors of one process. A descriptor is a number that names an object as
// a handle does, with rights of its own (FD_RIGHT_*), which only shrink, and flags. It holds a cap
// in the delegation tree of the object: the child of the handle that it was bridged from, or of the
// descriptor it is a copy of, and the parent of the handles made from it. So it keeps the object
// owned, and goes with the handle when that is revoked.
//
// A number is free, reserved (being made), or names a descriptor. One whose cap was revoked keeps
// its number until it is closed, lest a program uses another file in its place; it answers -EBADF.
//
// New descriptors get the lowest free number. All is guarded by the table's lock; caps are closed
// without it.
#pragma once

#include <atomic>
#include <cstdint>

#include "object/bridge.h"
#include "object/budget.h"
#include "object/cap.h"
#include "object/through.h"

class DescriptorTable;

// What a descriptor is made of.
struct Descriptor {
    OwnedCap cap;
    DescriptorRights rights;
    uint32_t flags = 0;  // KFD_*
};

// What a look-up finds. The object is borrowed, as with handles.
struct FoundDescriptor {
    Object* object;
    DescriptorRights rights;
    uint32_t flags;
    Through through;
};

// A number set aside; given back unless a descriptor is installed. Stands where the operation that
// needs it does.
class DescriptorReservation {
  public:
    DescriptorReservation() {}
    DescriptorReservation(const DescriptorReservation&) = delete;
    DescriptorReservation& operator=(const DescriptorReservation&) = delete;
    ~DescriptorReservation() {
        if (table_ != nullptr) give_back();
    }

    int number() const { return static_cast<int>(number_); }
    // Cannot fail.
    void install(Descriptor descriptor);

  private:
    friend class DescriptorTable;

    void give_back();

    DescriptorTable* table_ = nullptr;
    uint32_t number_ = 0;
};

class DescriptorTable final : public CapTable {
  public:
    // `process`: whose descriptors these are, for lists.
    explicit DescriptorTable(Budget& budget, const Object* process = nullptr)
        : CapTable(process), budget_(budget), charge_(budget.charge(0).take()) {}
    ~DescriptorTable() { check(chunk_count_ == 0, "a descriptor table was not dismantled"); }
    DescriptorTable(const DescriptorTable&) = delete;
    DescriptorTable& operator=(const DescriptorTable&) = delete;

    // -EBADF: none, revoked, or without the rights `needed`.
    Result<FoundDescriptor> find(int number, uint32_t needed) const;
    // Whether `number` still names the descriptor that was found as `through`.
    bool still(int number, const Through& through) const;
    Status begin_use(uint64_t which, Waiter& waiter) override;

    // The lowest free number that is not below `from`. -EMFILE, -EDQUOT, -ENOMEM.
    Status reserve(uint32_t from, DescriptorReservation& room);
    // Makes `number` name the descriptor, whatever it named before; that is returned, to be closed.
    // -EBADF: there is no such number; -EBUSY: it is reserved; -EDQUOT, -ENOMEM.
    Result<OwnedCap> replace(int number, Descriptor& descriptor);
    // Another descriptor of the same object, O_CLOEXEC not set. -EBADF (also without FD_RIGHT_DUP),
    // -EDQUOT, -ENOMEM.
    Result<Descriptor> copy(int number);
    // A handle that is in no table yet. `rights`: a subset of what the descriptor's rights are
    // worth, or none for all of it. -EBADF, -EACCES, -EDQUOT, -ENOMEM.
    Result<OwnedCap> derive(int number, Rights rights);
    // Frees the number; dropping the result closes the descriptor. -EBADF if there is none; a
    // revoked one is one.
    Result<OwnedCap> remove(int number);
    // -EBADF; -EACCES: more than it has.
    Status limit(int number, DescriptorRights rights);
    // Sets and clears flags; those it had. -EBADF.
    Result<uint32_t> change_flags(int number, uint32_t clear, uint32_t set);

    // Describes what a number names; false: nothing, or what was revoked. For those who look at the
    // process from outside: they count it. May be preempted.
    bool describe_number(uint32_t number, kairos_handle_entry& entry);
    uint32_t used() const { return used_.load(std::memory_order_relaxed); }
    // Closes a bounded number of descriptors; false when none is left. For a process that has
    // ended.
    bool close_some();
    // Gives back the memory of a table without descriptors, and its charge.
    void dismantle();

  private:
    friend class DescriptorReservation;

    struct Entry {
        Cap* cap;             // null: the number is free, or reserved
        uint32_t generation;  // rises with every descriptor that has this number
        uint8_t rights;
        bool nonblocking;
        bool close_on_exec;
    };
    static_assert(sizeof(Entry) == 16);
    static constexpr uint32_t kEntriesPerChunk = kPageSize / sizeof(Entry);
    static constexpr uint32_t kFirst = 16;  // few programs have more
    static constexpr uint32_t kChunks = KFD_MAX_PER_PROCESS / kEntriesPerChunk;
    static constexpr uint32_t kNumbersPerWord = 64;
    static constexpr uint32_t kWords = KFD_MAX_PER_PROCESS / kNumbersPerWord;
    static_assert(KFD_MAX_PER_PROCESS % kEntriesPerChunk == 0);

    Entry& entry(uint32_t number) const REQUIRES(lock_) {
        if (number < kFirst) return first_[number];
        return chunks_[number / kEntriesPerChunk][number % kEntriesPerChunk];
    }
    bool taken(uint32_t number) const REQUIRES(lock_) {
        return (taken_[number / kNumbersPerWord] >> number % kNumbersPerWord & 1) != 0;
    }
    // That of a descriptor that has been installed, or null.
    Entry* live_entry(int number) const REQUIRES(lock_);
    // The same, unless it was revoked, or has not the rights `needed`. -EBADF.
    Result<Entry*> usable_entry(int number, uint32_t needed) const REQUIRES(lock_);
    uint32_t lowest_free(uint32_t from) const REQUIRES(lock_);
    Status make_room(uint32_t number) REQUIRES(lock_);
    void take(uint32_t number) REQUIRES(lock_);
    void give(uint32_t number) REQUIRES(lock_);
    void put(uint32_t number, Descriptor& descriptor) REQUIRES(lock_);
    OwnedCap take_out(Entry& at) REQUIRES(lock_);
    // A revoked descriptor keeps its number, and holds its cap until that is closed.
    bool forget(Cap&) override { return false; }
    static uint32_t flags_of(const Entry& entry) {
        return (entry.nonblocking ? KFD_NONBLOCK : 0) | (entry.close_on_exec ? KFD_CLOEXEC : 0);
    }

    Budget& budget_;  // counted by charge_
    mutable SpinLock lock_{LockRank::kHandleTable};
    mutable Entry first_[kFirst] GUARDED_BY(lock_) = {};
    Entry* chunks_[kChunks] GUARDED_BY(lock_) = {};  // of the others
    uint32_t chunk_count_ GUARDED_BY(lock_) = 0;     // chunks that exist, in no order
    uint64_t taken_[kWords] GUARDED_BY(lock_) = {};
    uint32_t closing_from_ = 0;  // close_some's progress
    std::atomic<uint32_t> used_{0};
    Charge charge_ GUARDED_BY(lock_);  // for the chunks
};
