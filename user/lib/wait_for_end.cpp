// Waiting for the end of threads: POLLHUP, which needs no asking for.
#include <kairos/kairos.h>

extern "C" {

kairos_status_t kairos_thread_join(kairos_handle_t thread, kairos_time_t deadline) {
    // Other types can be waited for, too, but not for an end.
    kairos_info_basic info;
    const kairos_status_t status =
        kairos_object_info(thread, KAIROS_INFO_BASIC, &info, sizeof(info));
    if (status < 0) return status;
    if (info.type != KOBJ_TYPE_THREAD) return -ENOTSUP;
    uint32_t ready = 0;
    return kairos_object_wait(thread, 0, deadline, &ready);
}

}  // extern "C"
