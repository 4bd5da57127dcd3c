// The kernel's half of the address space, the same in every root table:
//
//   0xffffffc000000000  the direct map: physical address 0 and up, 128 GiB
//   0xffffffe000000000  kernel stacks, 1 GiB
//   0xffffffff80200000  the kernel's image, linked here and loaded at physical 0x80200000
//
// Read by the assembler and by the compiler; linker/kernel.ld repeats the image's two addresses.
#ifndef ARCH_RISCV_LAYOUT_H
#define ARCH_RISCV_LAYOUT_H

#define KERNEL_OFFSET 0xffffffff00000000  // virtual minus physical address within the image
#define KERNEL_GIGAPAGE 0x80000000        // physical; the image lies in it

#ifndef __ASSEMBLER__

#include <cstdint>

#include "arch/paging.h"
#include "base/types.h"

namespace arch {

inline constexpr uint64_t kKernelOffset = KERNEL_OFFSET;
inline constexpr uint64_t kKernelGigapage = KERNEL_GIGAPAGE;
inline constexpr uint64_t kGigapage = uint64_t{1} << 30;
inline constexpr uint64_t kMegapage = uint64_t{1} << 21;

inline constexpr uint64_t kDirectMapSize = kPhysicalLimit;
inline constexpr uint64_t kStackRegionBase = 0xffffffe000000000;
inline constexpr uint64_t kStackRegionSize = kGigapage;

// The same as the public physical_pointer and physical_address_of, to be inlined here.
inline uint64_t* direct_map(PhysicalAddress address) {
    return reinterpret_cast<uint64_t*>(kDirectMapBase + address.value);
}

// Where an object of the kernel's image lies in physical memory.
inline PhysicalAddress image_address(const void* object) {
    return {reinterpret_cast<uint64_t>(object) - kKernelOffset};
}

}  // namespace arch

// From linker/kernel.ld; all on page boundaries.
extern "C" {
extern char kernel_begin[], kernel_end[];
extern char kernel_text_begin[], kernel_text_end[];
extern char kernel_rodata_begin[], kernel_rodata_end[];
extern char kernel_data_begin[], kernel_data_end[];  // .data and .bss
}

#endif
#endif
