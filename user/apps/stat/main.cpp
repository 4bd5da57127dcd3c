// stat: the kernel's counters. `stat` shows the totals; `stat SECONDS [ROUNDS]` what each interval
// adds to them, without what stands still. Needs the SYSTEM resource.
#include <kairos/kairos.h>

#include <cinttypes>
#include <cstdio>
#include <vector>

#include "apps/common/complain.hpp"
#include "apps/common/number.hpp"
#include "apps/common/system.hpp"

namespace {

using Counters = std::vector<kairos_info_counter>;

kairos::Result<Counters> read_counters() {
    Counters counters(256);
    const auto read = common::read_list(common::system_resource(), KAIROS_INFO_COUNTERS,
                                        std::span<kairos_info_counter>(counters));
    if (!read) return std::unexpected(read.error());
    counters.resize(read->size());
    return counters;
}

int fail(kairos::Error error) {
    return common::complain("stat", "cannot read the counters", error);
}

void print_totals(const Counters& counters) {
    for (const kairos_info_counter& each : counters) {
        std::printf("%14" PRIu64 "  %-24s  %s\n", each.total, each.name, each.text);
    }
}

void print_changes(const Counters& before, const Counters& now) {
    for (size_t i = 0; i < now.size(); ++i) {
        const uint64_t change = now[i].total - before[i].total;
        if (change == 0) continue;
        std::printf("%14" PRIu64 " %+12" PRId64 "  %s\n", now[i].total,
                    static_cast<int64_t>(change), now[i].name);
    }
    std::printf("\n");
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const auto seconds = argc > 1 ? common::parse_number(argv[1]) : 0;
    const auto rounds = argc > 2 ? common::parse_number(argv[2]) : UINT64_MAX;
    if (argc > 3 || !seconds || !rounds || (argc > 1 && *seconds == 0)) {
        return common::usage("stat", "[SECONDS [ROUNDS]]");
    }
    auto before = read_counters();
    if (!before) return fail(before.error());
    if (argc == 1) {
        print_totals(*before);
        return 0;
    }
    for (uint64_t round = 0; round < *rounds; ++round) {
        kairos_sleep_until(kairos_clock_now() + *seconds * kairos::kSecond);
        auto now = read_counters();
        if (!now) return fail(now.error());
        print_changes(*before, *now);
        before = std::move(now);
    }
    return 0;
}
