// The kernel's half of the address space, made once at boot; every root table shares it.
#pragma once

#include <cstdint>

#include "base/types.h"

// The satp value of the kernel's own address space, in which no user address is mapped.
extern "C" uint64_t kernel_satp;

namespace arch {

// Makes the final kernel mappings and runs in them from here on. First hart only.
void enter_kernel_map();

// Copies the kernel's half into a new root table. It never changes afterwards: what is mapped
// later goes into tables that are shared already.
void share_kernel_half(uint64_t* root);

// Whether the kernel can read at this address.
bool kernel_can_read(VirtualAddress address);

}  // namespace arch
