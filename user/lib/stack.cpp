// Stacks of threads; see the header.
#include "stack.hpp"

#include <kairos/handle.hpp>

namespace kairos::internal {

kairos_status_t map_stack(kairos_handle_t space, size_t size, std::byte** guard) {
    const size_t length = kGuardSize + size;
    kairos_handle_t value = KAIROS_HANDLE_INVALID;
    kairos_status_t status = kairos_memory_create(length, 0, &value);
    if (status < 0) return status;
    const Handle memory(value);  // the mapping keeps it

    void* address = nullptr;
    status = kairos_map(space, value, 0, &address, length, KPROT_READ | KPROT_WRITE);
    if (status < 0) return status;
    status = kairos_protect(space, address, kGuardSize, 0);
    if (status < 0) {
        kairos_unmap(space, address, length);
        return status;
    }
    *guard = static_cast<std::byte*>(address);
    return 0;
}

void unmap_stack(kairos_handle_t space, std::byte* guard, size_t size) {
    kairos_unmap(space, guard, kGuardSize + size);
}

}  // namespace kairos::internal
