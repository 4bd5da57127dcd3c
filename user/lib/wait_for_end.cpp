// Waiting for the end of processes and threads: POLLHUP, which needs no asking for.
#include <kairos/kairos.h>

namespace {

kairos_status_t wait_for_end(kairos_handle_t handle, kairos_time_t deadline) {
    uint32_t ready = 0;
    return kairos_object_wait(handle, 0, deadline, &ready);
}

}  // namespace

extern "C" {

kairos_status_t kairos_process_wait(kairos_handle_t process, kairos_time_t deadline,
                                    int64_t* exit_code) {
    // Asked before, so that a handle that cannot tell is refused without waiting.
    kairos_info_process info;
    kairos_status_t status = kairos_object_info(process, KAIROS_INFO_PROCESS, &info, sizeof(info));
    if (status < 0) return status;
    status = wait_for_end(process, deadline);
    if (status < 0) return status;
    status = kairos_object_info(process, KAIROS_INFO_PROCESS, &info, sizeof(info));
    if (status < 0) return status;
    if (exit_code != nullptr) *exit_code = info.exit_code;
    return 0;
}

kairos_status_t kairos_thread_join(kairos_handle_t thread, kairos_time_t deadline) {
    // Other types can be waited for, too, but not for an end.
    kairos_info_basic info;
    const kairos_status_t status =
        kairos_object_info(thread, KAIROS_INFO_BASIC, &info, sizeof(info));
    if (status < 0) return status;
    if (info.type != KOBJ_TYPE_THREAD) return -ENOTSUP;
    return wait_for_end(thread, deadline);
}

}  // extern "C"
