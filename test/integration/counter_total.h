// The kernel's counters, by name. Other programs count too: exact only where nobody else does it.
#pragma once

#include <string.h>

#include "owned.h"

inline uint64_t counter_total(const char* name) {
    static kairos_info_counter counters[256];
    const kairos_status_t bytes = kairos_object_info(
        kairos_bootstrap(KAIROS_BOOT_RESOURCE), KAIROS_INFO_COUNTERS, counters, sizeof(counters));
    REQUIRE(bytes > 0);
    for (size_t i = 0; i < static_cast<size_t>(bytes) / sizeof(counters[0]); ++i) {
        if (strcmp(counters[i].name, name) == 0) return counters[i].total;
    }
    harness::fail(__FILE__, __LINE__, "there is no counter %s", name);
    return 0;
}
