// What a RESOURCE handle allows: the check that begins every call about the system as a whole.
#pragma once

#include "device/resource.h"
#include "sched/thread.h"

namespace system_calls {

// A RESOURCE with `needed` that covers `range`. -EBADF, -ENOTSUP, -EACCES.
inline Result<Resource*> authority(HandleValue handle, Rights needed, ResourceRange range) {
    Resource* resource = TRY(current_thread().handles().resolve<Resource>(handle, needed));
    if (!resource->range().covers(range)) return Fail(Error::ACCES);
    return resource;
}

}  // namespace system_calls
