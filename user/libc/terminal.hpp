// Whether a person is at the other end.
#pragma once

#include <kairos/base.h>

namespace kairos::internal {

// Whether the endpoint, whose handle this is, leads to the console: the console is asked. False
// where it cannot be reached. BLOCKS until it answers.
bool leads_to_console(kairos_handle_t endpoint);

}  // namespace kairos::internal
