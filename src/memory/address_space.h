// AddressSpace: which memory a process sees where. Mappings are records; pages enter the page table
// when they are touched.
//
//     map ──> record            resolve_fault: record ──> memory object ──> frame ──> page table
//     unmap, protect: records and page table, flushed, a bounded part under each hold of the lock
//
// Locking: lock_ (rank kAddressSpace) guards records and page table; a page of a memory object is
// found, or made, under it (kMemoryObject comes after). Frames belong to memory objects and records
// count them, so a record is dropped only after the flush that takes its last page out of every
// hart's TLB.
//
// Long ranges: between two holds of the lock others run, and may change mappings too. Each part is
// done as a whole, from low to high addresses; what somebody maps behind the place that unmap has
// reached is not touched. Cutting a mapping at the ends of the range, which may fail, comes before
// any change.
//
// Not here: whose handle may do what (syscall/memory.cpp), and merging neighbours that have become
// alike again.
#pragma once

#include "arch/paging.h"
#include "memory/mapping_record.h"
#include "memory/mapping_set.h"
#include "object/handle_table.h"

// A word of user memory, named independently of where it is mapped.
struct MemoryPlace {
    Ref<MemoryObject> memory;
    uint64_t offset = 0;

    bool operator==(const MemoryPlace& other) const {
        return memory.get() == other.memory.get() && offset == other.offset;
    }
};

// The handle that memory is mapped through.
struct MappedThrough {
    HandleTable* table = nullptr;  // null: the kernel maps
    HandleValue handle = KAIROS_HANDLE_INVALID;
};

// How a copy from one user memory to another went; what was copied before a bad page stays.
enum class Copied : uint8_t { kAll, kBadSource, kBadDestination };

class AddressSpace final : public Object, private arch::TableSource {
  public:
    static constexpr ObjectType kType = ObjectType::kAddressSpace;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_MANAGE | KRIGHT_MAP};

    // -EDQUOT, -ENOMEM.
    static Result<Ref<AddressSpace>> create(Budget& budget);

    // The three below may be preempted; the caller counts a reference and holds no lock. A range is
    // whole pages, not empty, inside user space: otherwise -EINVAL (system calls say more).

    // Maps [offset, offset + length) of `memory` at `wanted`, or, if that is 0, at an address that
    // is hard to guess. `protection` may not go beyond `ceiling`, now or later, nor write together
    // with execute (-EACCES). -EINVAL: the offset is not at a page, or the range ends beyond the
    // object; -EDQUOT; -EBADF: the handle that it is mapped `through` has been closed or revoked
    // meanwhile; -ESRCH: the process has ended; -EEXIST: something is mapped there; -ENOMEM.
    Result<VirtualAddress> map(MemoryObject& memory, uint64_t offset, VirtualAddress wanted,
                               uint64_t length, Protection protection, Protection ceiling,
                               MappedThrough through = {});
    // Takes away whatever is mapped in the range. -EDQUOT, -ENOMEM: there is a mapping to cut in
    // two and no memory to do it with. When it returns, no hart uses the old translations.
    Status unmap(VirtualAddress start, uint64_t length);
    // Changes the protection of the range. -EACCES: it allows to write and to execute, or more than
    // a mapping's ceiling; -EINVAL: part of the range is not mapped; -EDQUOT, -ENOMEM for cutting.
    // When it returns, no hart uses the old translations. What another thread maps or changes in
    // the range meanwhile keeps the protection that it asked for, if that cannot be changed.
    Status protect(VirtualAddress start, uint64_t length, Protection protection);

    // Takes away what is left of a view of this address space. When it returns, no hart uses its
    // translations. May be preempted.
    void unmap_view(const View& view);

    // For a memory object of which `view` is a view of this address space. When they return, no
    // hart uses the old translations. Forgets the pages in `part`, or shows them read-only for now;
    // may be preempted.
    void forget_pages(const View& view, MemoryRange part);
    void write_protect(const View& view, MemoryRange part);
    // Forgets the page with this number. A lock below kAddressSpace may be held.
    void forget_page(const View& view, uint64_t index);

    // Makes an access possible that the mappings allow. False: they do not, or memory is short.
    bool resolve_fault(VirtualAddress address, arch::Access access);
    // Copies into this address space from wherever it is called; a lock below kAddressSpace may be
    // held. False: bad memory; what was copied before stays.
    [[nodiscard]] bool write(VirtualAddress to, const void* from, size_t size);
    // The same, straight from the memory of an address space, which may be this one. No lock is
    // held.
    [[nodiscard]] Copied write_from_user(VirtualAddress to, AddressSpace& source,
                                         VirtualAddress from, size_t size);
    // The memory behind an address. -EFAULT: none.
    Result<MemoryPlace> locate(VirtualAddress address);

    const arch::PageTable& page_table() const { return table_; }
    // Takes a bounded piece of an ended process's mappings away, and lets nobody map any more;
    // false when none is left. No lock is held.
    bool retire_step();

  private:
    template <typename T>
    friend class ObjectStorage;

    explicit AddressSpace(Budget& budget);
    bool dismantle() override;
    void free_memory() override;
    Result<PhysicalAddress> allocate_table() override;
    void free_table(PhysicalAddress table) override;

    Status check_placing(const MappingRecord& record) REQUIRES(lock_);
    Result<VirtualAddress> place_at(MappingRecord& record, VirtualAddress wanted);
    Result<VirtualAddress> place_anywhere(MappingRecord& record);
    VirtualAddress place(MappingRecord& record, VirtualAddress at) REQUIRES(lock_);
    Status cut_at(VirtualAddress border);

    template <typename Change>
    VirtualAddress change_pages(const Mapping& mapping, VirtualAddress from, VirtualAddress stop,
                                Change change) REQUIRES(lock_);
    template <typename Change>
    VirtualAddress change_large(VirtualAddress from, VirtualAddress stop, Change change)
        REQUIRES(lock_);
    bool map_large(Mapping& mapping, VirtualAddress page, PhysicalAddress frame,
                   arch::PageFlags flags) REQUIRES(lock_);
    void drop_large(VirtualAddress address) REQUIRES(lock_);
    VirtualAddress unmap_piece(Mapping& mapping, VirtualAddress end, MappingRecord& gone)
        REQUIRES(lock_);
    void prune_around(VirtualAddress address) REQUIRES(lock_);
    void prune_idle_table(VirtualAddress next) REQUIRES(lock_);
    Status check_protect(VirtualAddress start, VirtualAddress end, Protection protection);
    VirtualAddress protect_piece(Mapping& mapping, VirtualAddress from) REQUIRES(lock_);
    VirtualAddress protect_next(VirtualAddress at, VirtualAddress start, VirtualAddress end,
                                Protection protection) REQUIRES(lock_);

    template <typename Change>
    VirtualAddress change_view_piece(const View& view, VirtualAddress at, VirtualAddress end,
                                     Change change);
    template <typename Change>
    void change_view(const View& view, MemoryRange part, Change change);
    static bool is_own(const Mapping& mapping, VirtualAddress page);

    // What came of an attempt to use memory.
    struct Access {
        bool allowed = false;
        void* place = nullptr;          // where the byte is, for the kernel; not when populating
        Ref<MemoryObject> own_first{};  // not null: it would be allowed if this had its own copy
        uint64_t index = 0;             // of this page
    };
    Access populate(VirtualAddress address, arch::Access access) REQUIRES(lock_);
    Access reach(VirtualAddress address, arch::Access access) REQUIRES(lock_);
    bool try_again(const Access& failed);
    const void* reach_for_reading(VirtualAddress address);
    bool write_piece(VirtualAddress to, const void* from, size_t size);

    Ref<Budget> budget_;
    SpinLock lock_{LockRank::kAddressSpace};
    MappingSet mappings_ GUARDED_BY(lock_);
    arch::PageTable table_;  // changed under the lock
    // The 2 MiB without mappings whose table, if it has one, is kept.
    VirtualAddress idle_table_ GUARDED_BY(lock_){UINT64_MAX};  // begins on no table: none
    bool retired_ GUARDED_BY(lock_) = false;
    VirtualAddress next_choice_ GUARDED_BY(lock_);  // where the search for room begins
};
