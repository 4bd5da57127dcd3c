// The user copy of the hosted machine: page by page through this hart's TLB.
#include "arch/user_copy.h"

#include <algorithm>

#include "hosted/machine.h"

namespace arch {
namespace {

bool copy(VirtualAddress user, Access access, char* kernel, size_t size) {
    if (size == 0) return true;
    if (!user_range(user, size)) return false;
    for (size_t done = 0; done < size;) {
        const VirtualAddress at = user + done;
        const size_t length = std::min<size_t>(size - done, kPageSize - at.page_offset());
        if (!hosted::user_access(at, access, kernel + done, length)) return false;
        done += length;
    }
    return true;
}

}  // namespace

bool copy_from_user(void* destination, VirtualAddress source, size_t size) {
    return copy(source, Access::kRead, static_cast<char*>(destination), size);
}

bool copy_to_user(VirtualAddress destination, const void* source, size_t size) {
    return copy(destination, Access::kWrite, static_cast<char*>(const_cast<void*>(source)), size);
}

bool load_user_word(uint32_t* destination, VirtualAddress source) {
    return source.value % sizeof(uint32_t) == 0 && copy_from_user(destination, source, 4);
}

}  // namespace arch
