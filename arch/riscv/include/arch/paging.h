// Address translation: page tables, address-space numbers, TLB consistency across harts, and the
// kernel's own mappings. All of a PageTable's functions are called with its address space's lock
// held; it does not lock by itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "arch/direct_map.h"
#include "base/assert.h"
#include "base/result.h"
#include "base/types.h"

namespace arch {

// User addresses are [kUserBegin, kUserEnd). The first page is never mapped.
inline constexpr uint64_t kUserBegin = 0x1000;
inline constexpr uint64_t kUserEnd = uint64_t{1} << 38;

// Whether [start, start + size) lies in user space; sizes that wrap do not.
constexpr bool user_range(VirtualAddress start, uint64_t size) {
    return start.value >= kUserBegin && start.value <= kUserEnd && size <= kUserEnd - start.value;
}

enum class Access : uint8_t { kRead, kWrite, kExecute };

// How a page may be used, by user mode. No bit at all: mapped, and every access faults.
struct PageFlags {
    bool read = false;
    bool write = false;
    bool execute = false;
    bool device = false;  // uncached, strongly ordered, as the platform needs

    constexpr bool operator==(const PageFlags&) const = default;
    constexpr bool allows(Access access) const {
        return access == Access::kRead ? read : access == Access::kWrite ? write : execute;
    }
};

enum class PageLevel : uint8_t { k4KiB = 0, k2MiB = 1 };
constexpr uint64_t bytes_of(PageLevel level) {
    return level == PageLevel::k4KiB ? kPageSize : uint64_t{2} << 20;
}
// What the tables of a directory serve.
inline constexpr uint64_t kDirectoryBytes = uint64_t{1} << 30;

struct Translation {
    PhysicalAddress address;  // of the byte asked for
    PageFlags flags;
    PageLevel level;
};

// Where tables get their frames from, so that they are charged to somebody.
class TableSource {
  public:
    // A zeroed frame, or -ENOMEM / -EDQUOT.
    virtual Result<PhysicalAddress> allocate_table() = 0;
    virtual void free_table(PhysicalAddress table) = 0;

  protected:
    ~TableSource() = default;
};

class PageTable {
  public:
    PageTable() = default;
    PageTable(const PageTable&) = delete;
    PageTable& operator=(const PageTable&) = delete;

    // Makes the root table, which shares the kernel's half, and takes an address-space number.
    Status create(TableSource& source);
    // Maps one page where nothing is mapped. Fails only for want of a table frame.
    Status map(VirtualAddress page, PhysicalAddress frame, PageFlags flags, PageLevel level,
               TableSource& source);
    // Changes the flags of a page if it is mapped. The caller flushes.
    void protect(VirtualAddress page, PageFlags flags);
    // Removes what maps `page`; nothing if there is nothing. The caller flushes, and frees the
    // frame only after the flush.
    std::optional<Translation> unmap(VirtualAddress page);
    // What user mode would reach at `address` now.
    std::optional<Translation> lookup(VirtualAddress address) const;
    // The first page at or after `from` and below `end` that is mapped, or `end`. What is not
    // mapped is passed over table by table, so a large empty range costs little.
    VirtualAddress next_mapped(VirtualAddress from, VirtualAddress end) const;
    // When this returns, no hart uses a translation of the range from before.
    void flush(VirtualAddress start, uint64_t pages) const;
    // Gives back the table of the 2 MiB around an address, in which nothing is mapped any more,
    // and, for kDirectory, that of the 1 GiB around it, in which no other 2 MiB have a table.
    // Flushes.
    enum class Prune : bool { kTable, kDirectory };
    void prune(VirtualAddress address, Prune extent, TableSource& source);
    // Gives everything back; nothing is mapped and no hart runs in it any more. The
    // address-space number can be used again only after every hart's TLB has forgotten it.
    void destroy(TableSource& source);

    uint64_t satp() const { return satp_; }
    // The harts that have run in this address space: a bit for each HartIndex. Each enters itself
    // (arch/riscv/tlb.h says how); nobody leaves before destroy.
    std::atomic<uint32_t>& harts() const { return harts_; }

  private:
    PhysicalAddress root_{};
    uint32_t directories_ = 0;  // entries of the root's user half that lead to a table
    uint64_t satp_ = 0;
    mutable std::atomic<uint32_t> harts_{0};
};

// ---- The kernel's own mappings ----------------------------------------------------------------

// Where the kernel's image lies, whole pages.
PhysicalAddress kernel_image();
uint64_t kernel_image_size();

// Kernel stacks live in a region of their own, so that guard pages can lie between them.
VirtualAddress kernel_stack_region();
uint64_t kernel_stack_region_size();
// Maps a page of that region where nothing is mapped; -ENOMEM for want of a table. A table taken
// from `source` stays with the kernel. The caller serialises.
Status map_kernel_page(VirtualAddress page, PhysicalAddress frame, TableSource& source);
// Takes the frame away. Harts may still reach it until flush_kernel_pages has made all of them
// forget what they remember of that region.
PhysicalAddress unmap_kernel_page(VirtualAddress page);
void flush_kernel_pages();

}  // namespace arch
