// MemoryObject: memory as an object, to be mapped, shared, read and written. Pages are made when
// they are first touched, of zeros, and charged to the budget of the creator; they stay until the
// object goes, and nobody sees them after that. Physical objects stand for memory that is there
// already: device registers, or the boot archive, which is never written.
//
// Locking: pages_lock_ (rank kMemoryObject) guards the page tree for as long as it takes to find or
// make one page. Bytes are copied without it: frames stay while the object is referenced.
//
// Not here: resizing and copy-on-write. Both make a frame's life end before the object's, so they
// need to know the mappings of an object; page() is the one place where a page gets its frame.
#pragma once

#include "abi/info.h"
#include "memory/page_tree.h"
#include "memory/view.h"
#include "object/budget.h"
#include "object/object.h"

class AddressSpace;

class MemoryObject final : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kMemory;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_MANAGE | KRIGHT_MAP |
                                           KRIGHT_EXECUTE};

    // `size` is rounded up to whole pages. -EINVAL: 0, or larger than user space; -EDQUOT, -ENOMEM.
    static Result<Ref<MemoryObject>> create(Budget& budget, uint64_t size);
    // Device registers, or RAM that was set aside at boot; whole pages. -EDQUOT, -ENOMEM.
    static Result<Ref<MemoryObject>> create_physical(Budget& budget, PhysicalAddress base,
                                                     uint64_t size);
    static Result<Ref<MemoryObject>> create_archive(Budget& budget, PhysicalAddress base,
                                                    uint64_t size);

    uint64_t size() const { return size_; }
    bool is_device() const { return backing_ == Backing::kDevice; }
    // Whatever rights a handle has, this memory is not written.
    bool is_read_only() const { return backing_ == Backing::kArchive; }

    // The frame behind a page, made if need be. It stays while the object is referenced. -EINVAL:
    // beyond the end; -EDQUOT, -ENOMEM.
    Result<PhysicalAddress> page(uint64_t index);

    // Copy between the object and user memory of the current address space. -ENOTSUP: device
    // memory; -EACCES: writing what is read-only; -EINVAL: beyond the end; -EFAULT, -EDQUOT,
    // -ENOMEM as they turn up, what was copied before stays. No lock may be held. May be preempted.
    Status read(uint64_t offset, VirtualAddress to, uint64_t size);
    Status write(uint64_t offset, VirtualAddress from, uint64_t size);
    // Copies from the kernel's memory, at boot; the range lies inside. False: no memory.
    [[nodiscard]] bool fill(uint64_t offset, const void* from, uint64_t size);

    kairos_info_memory describe();

    // ---- Views: what shows this memory somewhere. The views are told apart by who made them. ----
    void add_view(View& view);
    // The view has no piece any more. True: the caller frees it; false: whoever looks at it does.
    [[nodiscard]] bool end_view(View& view);
    // Where a view is, if it has not ended.
    Ref<AddressSpace> space_of(View& view);

  private:
    template <typename T>
    friend class ObjectStorage;
    enum class Backing : uint8_t { kFrames, kDevice, kArchive };

    MemoryObject(Budget& budget, uint64_t size, Backing backing, PhysicalAddress base);
    bool dismantle() override;
    void free_memory() override;
    Status check_range(uint64_t offset, uint64_t size) const;
    template <typename Copy>
    Status for_each_piece(uint64_t offset, uint64_t size, Copy copy);

    const uint64_t size_;
    const Backing backing_;
    const PhysicalAddress base_;  // unless backed by frames of its own
    SpinLock pages_lock_{LockRank::kMemoryObject};
    PageTree pages_ GUARDED_BY(pages_lock_);
    Charge charge_ GUARDED_BY(pages_lock_);  // for the pages and the tree
    List<View, &View::node_> views_ GUARDED_BY(pages_lock_);
};
