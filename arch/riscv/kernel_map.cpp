// The kernel's own mappings: its image by 4 KiB pages (text executable, data writable, nothing
// both), the direct map of physical memory by gigapages, and the region of kernel stacks. The
// direct map's view of the image's text and rodata is read-only as well.
//
// The kernel's half of the root table is complete after boot. Only tables below it change, and only
// for kernel stacks, under the lock of whoever hands out stack addresses.
#include "kernel_map.h"

#include <cstring>

#include "arch/paging.h"
#include "base/assert.h"
#include "csr.h"
#include "layout.h"
#include "offsets.h"
#include "pte.h"
#include "tlb.h"

extern "C" char boot_stack_guard[];
uint64_t kernel_satp;

namespace arch {
namespace {

struct alignas(kPageSize) Table {
    uint64_t entries[pte::kEntries];
};

constexpr unsigned kImageTables = 2;  // linker/kernel.ld asserts that the image fits

Table root_table;
Table image_directory;
Table image_tables[kImageTables];
Table direct_directory;  // of the gigapage that has the image in it
Table direct_table;      // of its megapage with text and rodata
Table stack_directory;

VirtualAddress address_of(const char* symbol) { return {reinterpret_cast<uint64_t>(symbol)}; }
uint64_t table_entry(const Table& table) { return pte::to_table(image_address(&table)); }

// How a page of the image may be accessed through its link address; 0: not at all.
uint64_t image_access(VirtualAddress page) {
    if (page < address_of(kernel_begin) || page >= address_of(kernel_end)) return 0;
    if (page < address_of(kernel_text_end)) return pte::kRead | pte::kExecute;
    if (page < address_of(kernel_rodata_end)) return pte::kRead;
    if (page == address_of(boot_stack_guard)) return 0;
    return pte::kRead | pte::kWrite;
}

void map_image() {
    root_table.entries[pte::index_of(address_of(kernel_begin), 2)] = table_entry(image_directory);
    const unsigned first = pte::index_of(address_of(kernel_begin), 1);
    for (unsigned i = 0; i < kImageTables; ++i) {
        image_directory.entries[first + i] = table_entry(image_tables[i]);
    }
    for (VirtualAddress page = address_of(kernel_begin); page < address_of(kernel_end);
         page = page + kPageSize) {
        const uint64_t access = image_access(page);
        if (access == 0) continue;
        Table& table = image_tables[pte::index_of(page, 1) - first];
        table.entries[pte::index_of(page, 0)] =
            pte::to_kernel_page({page.value - kKernelOffset}, access);
    }
}

void map_physical_memory() {
    constexpr uint64_t kAccess = pte::kRead | pte::kWrite;
    for (uint64_t base = 0; base < kDirectMapSize; base += kGigapage) {
        root_table.entries[pte::index_of({kDirectMapBase + base}, 2)] =
            pte::to_kernel_page({base}, kAccess);
    }
    root_table.entries[pte::index_of({kDirectMapBase + kKernelGigapage}, 2)] =
        table_entry(direct_directory);
    for (unsigned i = 0; i < pte::kEntries; ++i) {
        direct_directory.entries[i] =
            pte::to_kernel_page({kKernelGigapage + i * kMegapage}, kAccess);
    }
    const PhysicalAddress image = image_address(kernel_begin);
    direct_directory.entries[pte::index_of({image.value}, 1)] = table_entry(direct_table);
    for (unsigned i = 0; i < pte::kEntries; ++i) {
        const PhysicalAddress frame = image + i * kPageSize;
        const bool constant = frame < image_address(kernel_rodata_end);
        direct_table.entries[i] = pte::to_kernel_page(frame, constant ? pte::kRead : kAccess);
    }
}

// The entry that maps `address` for the kernel, or null.
uint64_t* find_entry(VirtualAddress address) {
    uint64_t* table = root_table.entries;
    for (unsigned level = pte::kRootLevel;; --level) {
        uint64_t& entry = table[pte::index_of(address, level)];
        if (entry == 0) return nullptr;
        if (!pte::is_table(entry)) return &entry;
        table = direct_map(pte::frame_of(entry));
    }
}

bool is_kernel_half(VirtualAddress address) { return address.value >= kDirectMapBase; }

}  // namespace

void enter_kernel_map() {
    map_image();
    map_physical_memory();
    root_table.entries[pte::index_of({kStackRegionBase}, 2)] = table_entry(stack_directory);
    kernel_satp = uint64_t{SATP_SV39} << 60 | image_address(&root_table).value >> kPageShift;
    csr::write<csr::kSatp>(kernel_satp);
    flush_local_all();
}

void share_kernel_half(uint64_t* root) {
    std::memcpy(root + pte::kEntries / 2, root_table.entries + pte::kEntries / 2, kPageSize / 2);
}

bool kernel_can_read(VirtualAddress address) {
    if (!is_kernel_half(address)) return false;
    const uint64_t* entry = find_entry(address);
    return entry != nullptr && (*entry & pte::kRead) != 0;
}

PhysicalAddress physical_address_of(const void* pointer) {
    const auto address = reinterpret_cast<uint64_t>(pointer);
    if (address >= reinterpret_cast<uint64_t>(kernel_begin)) return image_address(pointer);
    debug_check(address - kDirectMapBase < kDirectMapSize, "pointer is not into the direct map");
    return {address - kDirectMapBase};
}

PhysicalAddress kernel_image() { return image_address(kernel_begin); }
uint64_t kernel_image_size() { return address_of(kernel_end) - address_of(kernel_begin); }

VirtualAddress kernel_stack_region() { return {kStackRegionBase}; }
uint64_t kernel_stack_region_size() { return kStackRegionSize; }

// A hart that faults on a stack cannot be helped, so this relies on harts not remembering that
// nothing was mapped at an address; virt's harts do not. This hart is made sure of all the same.
Status map_kernel_page(VirtualAddress page, PhysicalAddress frame, TableSource& source) {
    check(page.value - kStackRegionBase < kStackRegionSize, "kernel page outside its region");
    uint64_t& directory = stack_directory.entries[pte::index_of(page, 1)];
    if (directory == 0) pte::set(directory, pte::to_table(TRY(source.allocate_table())));
    uint64_t& entry = direct_map(pte::frame_of(directory))[pte::index_of(page, 0)];
    check(entry == 0, "kernel page is mapped already");
    pte::set(entry, pte::to_kernel_page(frame, pte::kRead | pte::kWrite));
    flush_local_page(page);
    return {};
}

// The table stays: the next stack in its place needs it again.
PhysicalAddress unmap_kernel_page(VirtualAddress page) {
    check(page.value - kStackRegionBase < kStackRegionSize, "kernel page outside its region");
    uint64_t* entry = find_entry(page);
    check(entry != nullptr, "kernel page is not mapped");
    const PhysicalAddress frame = pte::frame_of(*entry);
    pte::set(*entry, 0);
    return frame;
}

void flush_kernel_pages() { flush_everywhere(); }

}  // namespace arch
