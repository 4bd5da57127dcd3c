// AddressSpace: which memory a process sees where. Mappings are records; pages enter the page table
// when they are touched. One lock guards records and page table; a page of a memory object is
// found, or made, under it (kAddressSpace before kMemoryObject).
//
// Changing a range splits the mappings at its ends first, for which the records are made before
// anything changes; the rest cannot fail. Long ranges are changed a bounded number of pages at a
// time, and others run in between.
#pragma once

#include "arch/paging.h"
#include "memory/mapping.h"

// A word of user memory, named independently of where it is mapped.
struct MemoryPlace {
    Ref<MemoryObject> memory;
    uint64_t offset = 0;

    bool operator==(const MemoryPlace& other) const {
        return memory.get() == other.memory.get() && offset == other.offset;
    }
};

class AddressSpace final : public Object, private arch::TableSource {
  public:
    static constexpr ObjectType kType = ObjectType::kAddressSpace;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_MANAGE | KRIGHT_MAP};

    // -EDQUOT, -ENOMEM.
    static Result<Ref<AddressSpace>> create(Budget& budget);

    // Maps [offset, offset + length) of `memory` at `wanted`, or where there is room if that is 0;
    // whole pages. -EINVAL: beyond the object's end; -EEXIST: taken; -ENOMEM: no room; -ESRCH: the
    // process has ended; -EDQUOT.
    Result<VirtualAddress> map(MemoryObject& memory, uint64_t offset, VirtualAddress wanted,
                               uint64_t length, Protection protection, Protection ceiling);
    // Both cover whatever is mapped in the range; what is not mapped does not matter to unmap, and
    // is -EINVAL to protect. -EACCES: beyond a mapping's ceiling; -EDQUOT, -ENOMEM for splitting.
    // When they return no hart uses the old translation. May be preempted.
    Status unmap(VirtualAddress start, uint64_t length);
    Status protect(VirtualAddress start, uint64_t length, Protection protection);

    // Makes an access possible that the mappings allow. False: they do not, or memory is short.
    bool resolve_fault(VirtualAddress address, arch::Access access);
    // Copies into this address space from wherever it is called. False: bad memory; what was
    // copied before stays.
    [[nodiscard]] bool write(VirtualAddress to, const void* from, size_t size);
    // The memory behind an address. -EFAULT: none.
    Result<MemoryPlace> locate(VirtualAddress address);

    const arch::PageTable& page_table() const { return table_; }
    // Takes a piece of an ended process's mappings down; false when none is left.
    bool retire_step();

  private:
    template <typename T>
    friend class ObjectStorage;
    using Mappings = Tree<Mapping, &Mapping::node, Mapping::StartOf>;

    explicit AddressSpace(Budget& budget);
    bool dismantle() override;
    void free_memory() override;
    Result<PhysicalAddress> allocate_table() override;
    void free_table(PhysicalAddress table) override;

    Result<Mapping*> allocate_mapping();
    void free_mapping(Mapping* mapping);  // null is nothing

    Mapping* mapping_at(VirtualAddress address) const REQUIRES(lock_);
    Mapping* first_in(VirtualAddress start, VirtualAddress end) const REQUIRES(lock_);
    VirtualAddress find_room(uint64_t length) REQUIRES(lock_);
    void split(Mapping& mapping, VirtualAddress at, Mapping& spare) REQUIRES(lock_);
    void split_at(VirtualAddress at, Mapping*& spare) REQUIRES(lock_);
    Mapping* unmap_a_piece(Mapping& mapping, VirtualAddress end) REQUIRES(lock_);
    Status check_protect(VirtualAddress start, VirtualAddress end, Protection protection) const
        REQUIRES(lock_);
    void protect_pages(VirtualAddress start, VirtualAddress end);
    bool populate(VirtualAddress address, arch::Access access) REQUIRES(lock_);

    Ref<Budget> budget_;
    SpinLock lock_{LockRank::kAddressSpace};
    Mappings mappings_ GUARDED_BY(lock_);
    arch::PageTable table_;  // changed under the lock
    bool retired_ GUARDED_BY(lock_) = false;
    uint64_t random_ GUARDED_BY(lock_);
};
