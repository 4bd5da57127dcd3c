// mem: how much memory there is and is used: charged to budgets, more than once where clones share
// it, or kept by the kernel for itself. Needs the SYSTEM resource.
#include <cinttypes>
#include <cstdio>

#include "apps/common/complain.hpp"
#include "apps/common/system.hpp"

int main() {
    const auto totals = common::read_totals();
    if (!totals) return common::complain("mem", "cannot read the totals", totals.error());
    const auto print = [](const char* what, uint64_t bytes) {
        std::printf("%-7s %10" PRIu64 " KiB\n", what, bytes >> 10);
    };
    print("total", totals->memory_total);
    print("used", totals->memory_total - totals->memory_free);
    print("free", totals->memory_free);
    const auto accounts =
        common::read_info<kairos_info_accounts>(common::system_resource(), KAIROS_INFO_ACCOUNTS);
    if (!accounts) return common::complain("mem", "cannot read the accounts", accounts.error());
    print("charged", accounts->charged);
    print("shared", accounts->shared);
    print("kernel", accounts->own);
    std::printf("%" PRIu64 " objects, %" PRIu32 " processes\n", totals->objects, totals->processes);
    return 0;
}
