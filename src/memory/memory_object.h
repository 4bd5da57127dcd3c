// MemoryObject: memory as an object, to be mapped, shared, read and written. Pages are made when
// they are first touched, of zeros, and charged to the budget of the creator; nobody sees them
// after they are gone. Physical objects stand for memory that is there already: device registers,
// or the boot archive, which is never written.
//
// A clone shares its pages with the object that it was made from until one of the two writes to
// them (copy_on_write.cpp): the frame counts both as its users, mappings show it read-only, and the
// first to write gets a frame of its own in place of it. There are no chains: a clone of a clone
// is one more user of the same frames.
//
// Locking: pages_lock_ (rank kMemoryObject) guards the page tree, the size and the list of views.
//
// How long a frame stays: whoever has looked it up may use it until its hart passes a quiescent
// point (object/reclaim.h), also when the object has another in its place by then. Frames that are
// taken away from a living object are given up only after that. Only who holds pages_lock_, or the
// lock of an address space that shows the page writable, writes to it.
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
    enum class Resizable : bool { kNo, kYes };

    // `size` is rounded up to whole pages. -EINVAL: 0, or larger than user space; -EDQUOT, -ENOMEM.
    static Result<Ref<MemoryObject>> create(Budget& budget, uint64_t size,
                                            Resizable resizable = Resizable::kNo);
    // Device registers, or RAM that was set aside at boot; whole pages. -EDQUOT, -ENOMEM.
    static Result<Ref<MemoryObject>> create_physical(Budget& budget, PhysicalAddress base,
                                                     uint64_t size);
    static Result<Ref<MemoryObject>> create_archive(Budget& budget, PhysicalAddress base,
                                                    uint64_t size);

    uint64_t size() const { return size_.load(std::memory_order_relaxed); }
    bool is_device() const { return backing_ == Backing::kDevice; }
    // Its pages lie in a row and stay what they are as long as it lives.
    bool is_fixed() const { return backing_ != Backing::kFrames; }
    PhysicalAddress fixed_base() const { return base_; }
    // Whatever rights a handle has, this memory is not written.
    bool is_read_only() const { return backing_ == Backing::kArchive; }

    struct Page {
        PhysicalAddress frame;
        bool writable;  // false: own_page() comes first, and then another look
        bool mappable;  // false: it is about to get another frame; likewise
    };
    // The page with this number, made if need be. -EINVAL: beyond the end; -EDQUOT, -ENOMEM.
    Result<Page> page(uint64_t index);
    // Gives the object a frame of its own for a page that it shares, or lets another hart that does
    // so go on. A lock below kAddressSpace may be held. -ENOMEM.
    Status own_page(uint64_t index);

    // Copy between the object and user memory of the current address space. -ENOTSUP: device
    // memory; -EACCES: writing what is read-only; -EINVAL: beyond the end; -EFAULT, -EDQUOT,
    // -ENOMEM as they turn up, what was copied before stays. No lock may be held. May be preempted.
    Status read(uint64_t offset, VirtualAddress to, uint64_t size);
    Status write(uint64_t offset, VirtualAddress from, uint64_t size);
    // Copies from the kernel's memory, at boot; the range lies inside. False: no memory.
    [[nodiscard]] bool fill(uint64_t offset, const void* from, uint64_t size);

    // A new object, charged to `budget`, that begins with what `range` holds, whole pages: every
    // byte as it was at one moment of the call, those of one page at the same one. -ENOTSUP: device
    // memory; -EINVAL: beyond the end; -EDQUOT, -ENOMEM. No lock may be held. May be preempted.
    Result<Ref<MemoryObject>> clone(MemoryRange range, Budget& budget, Resizable resizable);
    // What is new is zeros; what is cut off is gone from all mappings when this returns, and an
    // access beyond the end faults. `size` as for create. -ENOTSUP: not resizable; -EINVAL; -EBUSY:
    // somebody else is resizing it; -EDQUOT, -ENOMEM. No lock may be held. May be preempted.
    Status resize(uint64_t size);

    kairos_info_memory describe();

    // ---- Views: all that shows this memory somewhere ----
    // Views of an object that shares pages with a clone, at most: a page that is written is taken
    // out of each of them at once.
    static constexpr uint32_t kMaxViewsWhileSharing = 32;
    // It shares pages and has as many views already: -ENOMEM, there is no memory to end that;
    // -EBUSY, it is being cloned.
    Status add_view(View& view);
    // The view has no piece any more. True: the caller frees it; false: whoever looks at it does.
    [[nodiscard]] bool end_view(View& view);
    // Where a view is, if it has not ended.
    Ref<AddressSpace> space_of(View& view);

  private:
    template <typename T>
    friend class ObjectStorage;
    enum class Backing : uint8_t { kFrames, kDevice, kArchive };
    struct Batch;

    MemoryObject(Budget& budget, uint64_t size, Backing backing, PhysicalAddress base,
                 Resizable resizable);
    bool dismantle() override;
    void free_memory() override;
    Status check_range(uint64_t offset, uint64_t size) const;
    Result<Page> look_up(uint64_t index) REQUIRES(pages_lock_);
    Status write_piece(uint64_t offset, const void* bytes, uint64_t length);
    template <typename Copy>
    static Status for_each_piece(uint64_t offset, uint64_t size, uint64_t most, Copy copy);
    // Calls `visit(view, space)` for every view that was there when this began, and for none that
    // has ended. No lock is held meanwhile.
    template <typename Visit>
    void for_each_view(Visit visit) {
        Ref<AddressSpace> space;
        for (View* view = next_view(nullptr, space); view != nullptr;) {
            if (space) visit(*view, *space);
            space = nullptr;
            view = next_view(view, space);
        }
    }
    View* next_view(View* view, Ref<AddressSpace>& space);
    void remove_view(View& view) REQUIRES(pages_lock_);

    bool begin_clone();
    void end_clone();
    void gather(uint64_t& at, uint64_t end, bool share, Batch& batch);
    Status take_over(const Batch& batch, uint64_t first);
    Status clone_into(MemoryObject& clone, MemoryRange range, bool share);
    Status own_all_pages();
    void give_frame(uint64_t index, PhysicalAddress fresh);

    Status begin_resize(uint64_t size, uint64_t& old_size);
    void cut_off(uint64_t size, uint64_t old_size);

    std::atomic<uint64_t> size_;  // changed under the lock
    const Backing backing_;
    const Resizable resizable_;
    const PhysicalAddress base_;  // unless backed by frames of its own
    SpinLock pages_lock_{LockRank::kMemoryObject};
    bool resizing_ GUARDED_BY(pages_lock_) = false;
    bool sharing_ GUARDED_BY(pages_lock_) = false;  // pages may have other users
    uint32_t clones_begun_ GUARDED_BY(pages_lock_) = 0;
    uint32_t clones_under_way_ GUARDED_BY(pages_lock_) = 0;
    PageTree pages_ GUARDED_BY(pages_lock_);
    Charge charge_ GUARDED_BY(pages_lock_);             // for the pages and the tree
    uint64_t freed_up_to_ GUARDED_BY(pages_lock_) = 0;  // dismantle's progress
    List<View, &View::node_> views_ GUARDED_BY(pages_lock_);
    uint32_t view_count_ GUARDED_BY(pages_lock_) = 0;
};
