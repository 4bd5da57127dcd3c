// Rights as users ask for them.
#pragma once

#include "base/result.h"
#include "base/types.h"

namespace system_calls {

// KRIGHT_SAME is none, which a table takes for all that there are. -EINVAL: empty or undefined.
inline Result<Rights> wanted_rights(uint32_t bits) {
    if (bits == KRIGHT_SAME) return right::kNone;
    if (bits == 0 || (bits & ~KRIGHT_ALL) != 0) return Fail(Error::INVAL);
    return Rights(bits);
}

}  // namespace system_calls
