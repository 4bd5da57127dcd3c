// What this program was given; see the header and <kairos/sdk.h>.
#include "program.hpp"

#include <kairos/kairos.h>

#include "thread_block.hpp"

namespace kairos::internal {

namespace {
kairos_handle_t handles[KAIROS_BOOT_COUNT];
uint64_t image_offset;
uint64_t image_size;
}  // namespace

ProgramImage own_image() { return {handles[KAIROS_BOOT_SELF_IMAGE], image_offset, image_size}; }

void set_program(const kairos_startup& startup) {
    image_offset = startup.image_offset;
    image_size = startup.image_size;
}

void set_bootstrap(uint32_t which, kairos_handle_t handle) {
    if (which < KAIROS_BOOT_COUNT && handles[which] == KAIROS_HANDLE_INVALID) {
        handles[which] = handle;
    } else {
        kairos_handle_close(handle, 0);
    }
}

kairos_handle_t get_bootstrap(uint32_t which) {
    return which < KAIROS_BOOT_COUNT ? handles[which] : KAIROS_HANDLE_INVALID;
}

}  // namespace kairos::internal

using namespace kairos::internal;

extern "C" {

kairos_handle_t kairos_self_process() { return get_bootstrap(KAIROS_BOOT_SELF_PROCESS); }
kairos_handle_t kairos_self_aspace() { return get_bootstrap(KAIROS_BOOT_SELF_ASPACE); }

kairos_handle_t kairos_self_thread() {
    const ThreadBlock* block = current_block();
    return block != nullptr ? block->self : KAIROS_HANDLE_INVALID;
}

kairos_handle_t kairos_bootstrap(uint32_t which) {
    const bool is_own = which > KAIROS_BOOT_STDERR && which < KAIROS_BOOT_USER0;
    return is_own ? KAIROS_HANDLE_INVALID : get_bootstrap(which);
}

}  // extern "C"
