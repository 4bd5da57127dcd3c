// harts: what each hart has done since the machine started. Needs the SYSTEM resource.
#include <cinttypes>
#include <cstdio>

#include "apps/common/complain.hpp"
#include "apps/common/system.hpp"

namespace {

void print(const kairos_info_hart& hart, uint64_t uptime) {
    const uint64_t idle_percent = uptime != 0 ? hart.idle_ns * 100 / uptime : 0;
    std::printf("%4" PRIu32 " %6" PRIu64 " %5" PRIu64 "%% %10" PRIu64 " %12" PRIu64 " %10" PRIu64
                " %10" PRIu64 " %10" PRIu64 "\n",
                hart.hart, hart.sbi_id, idle_percent, hart.switches, hart.system_calls,
                hart.interrupts, hart.ipis_sent, hart.threads_migrated_here);
}

}  // namespace

int main() {
    static std::array<kairos_info_hart, 64> room;
    const auto totals = common::read_totals();
    if (!totals) return common::complain("harts", "cannot read the totals", totals.error());
    const auto harts = common::read_list(common::system_resource(), KAIROS_INFO_HARTS,
                                         std::span<kairos_info_hart>(room));
    if (!harts) return common::complain("harts", "cannot read the counters", harts.error());

    std::printf("%4s %6s %6s %10s %12s %10s %10s %10s\n", "HART", "SBI ID", "IDLE", "SWITCHES",
                "SYSTEM CALLS", "INTERRUPTS", "IPIS SENT", "MIGRATIONS");
    for (const kairos_info_hart& hart : *harts) print(hart, totals->uptime_ns);
    return 0;
}
