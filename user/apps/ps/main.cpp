// ps: lists the processes. Needs the SYSTEM resource.
#include <cinttypes>
#include <cstdio>

#include "apps/common/complain.hpp"
#include "apps/common/object_names.hpp"
#include "apps/common/system.hpp"

namespace {

// How long the threads of a process have run; those that have ended meanwhile do not count.
uint64_t running_time(uint64_t process) {
    uint64_t time = 0;
    common::for_each_object(KOBJ_TYPE_THREAD, [&](const kairos_object_entry& entry) {
        if (entry.process_id != process) return;
        const auto thread = common::open_object(entry.id, KRIGHT_READ);
        if (!thread) return;
        const auto info = common::read_info<kairos_info_thread>(thread->get(), KAIROS_INFO_THREAD);
        if (info) time += info->time_ns;
    });
    return time;
}

void print_process(const kairos_object_entry& entry) {
    const auto process = common::open_object(entry.id, KRIGHT_READ);
    if (!process) return;  // it is gone already
    const auto info = common::read_info<kairos_info_process>(process->get(), KAIROS_INFO_PROCESS);
    if (!info) return;
    std::printf("%8" PRIu64 "  %-8s %8" PRIu32 " %8" PRIu32 " %8" PRIu32 " %10" PRIu64 "  %s\n",
                entry.id, common::name_of(common::kProcessStateNames, info->state), info->threads,
                info->handles, info->fds, running_time(entry.id) / kairos::kMillisecond,
                entry.name);
}

}  // namespace

int main() {
    std::printf("%8s  %-8s %8s %8s %8s %10s  %s\n", "ID", "STATE", "THREADS", "HANDLES", "FDS",
                "RAN (ms)", "NAME");
    const auto listed = common::for_each_object(KOBJ_TYPE_PROCESS, print_process);
    return listed ? 0 : common::complain("ps", "cannot list processes", listed.error());
}
