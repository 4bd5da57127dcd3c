// How a client comes to a service: see protocols/names.h.
#pragma once

#include <kairos/base.h>

#include <string_view>

namespace kairos::internal {

// Connects to `service` over the names handle, and waits for its welcome until `deadline`. The
// connection, or the welcome's refusals (protocols/names.h); -EINVAL no such name can be, -EBADF
// without a names handle, -EPIPE if the service ended meanwhile, -ETIMEDOUT, -EINTR.
kairos_status_t connect(kairos_handle_t names, std::string_view service, kairos_time_t deadline,
                        kairos_handle_t* connection);

}  // namespace kairos::internal
