// top: where the time goes, per hart and per thread, refreshed in place every second (or SECONDS)
// until Ctrl-C, or ROUNDS times. Needs the SYSTEM resource.
#include <kairos/kairos.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <vector>

#include "apps/common/complain.hpp"
#include "apps/common/number.hpp"
#include "apps/common/object_names.hpp"
#include "apps/common/system.hpp"

namespace {

constexpr size_t kThreadsShown = 15;
constexpr char kHomeAndClear[] = "\x1b[H\x1b[J";

struct ThreadTime {
    uint64_t id;
    kairos_info_thread info;
};

struct Sample {
    uint64_t time = 0;
    std::vector<kairos_info_hart> harts;
    std::vector<ThreadTime> threads;
    std::map<uint64_t, std::array<char, sizeof(kairos_object_entry::name)>> process_names;
};

kairos::Result<Sample> take_sample() {
    Sample sample;
    sample.time = kairos_clock_now();
    sample.harts.resize(64);
    const auto harts = common::read_list(common::system_resource(), KAIROS_INFO_HARTS,
                                         std::span<kairos_info_hart>(sample.harts));
    if (!harts) return std::unexpected(harts.error());
    sample.harts.resize(harts->size());
    const auto threads = common::for_each_object(KOBJ_TYPE_THREAD, [&](const auto& entry) {
        if (entry.process_id == 0) return;  // a hart's idle thread
        const auto thread = common::open_object(entry.id, KRIGHT_READ);
        if (!thread) return;
        const auto info = common::read_info<kairos_info_thread>(thread->get(), KAIROS_INFO_THREAD);
        if (info) sample.threads.push_back({entry.id, *info});
    });
    if (!threads) return std::unexpected(threads.error());
    const auto processes = common::for_each_object(KOBJ_TYPE_PROCESS, [&](const auto& entry) {
        auto& name = sample.process_names[entry.id];
        std::copy(std::begin(entry.name), std::end(entry.name), name.begin());
    });
    if (!processes) return std::unexpected(processes.error());
    return sample;
}

double percent(uint64_t part, uint64_t whole) {
    return whole == 0
               ? 0.0
               : std::min(100.0, 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// What was spent since; counters that a look came an instant too early for do not run backwards.
uint64_t since(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

void print_harts(const Sample& before, const Sample& now) {
    const uint64_t interval = now.time - before.time;
    std::printf("%4s %7s %12s %12s %12s\n", "HART", "BUSY", "SWITCHES", "CALLS", "INTERRUPTS");
    for (size_t i = 0; i < std::min(before.harts.size(), now.harts.size()); ++i) {
        const kairos_info_hart& old = before.harts[i];
        const kairos_info_hart& hart = now.harts[i];
        const uint64_t idle = since(old.idle_ns, hart.idle_ns);
        std::printf("%4" PRIu32 " %6.1f%% %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n", hart.hart,
                    100.0 - percent(idle, interval), since(old.switches, hart.switches),
                    since(old.system_calls, hart.system_calls),
                    since(old.interrupts, hart.interrupts));
    }
}

void print_threads(const Sample& before, const Sample& now) {
    struct Line {
        uint64_t spent;
        const ThreadTime* thread;
    };
    std::map<uint64_t, uint64_t> old;
    for (const ThreadTime& each : before.threads) old[each.id] = each.info.time_ns;
    std::vector<Line> lines;
    for (const ThreadTime& each : now.threads) {
        const auto known = old.find(each.id);
        lines.push_back({since(known == old.end() ? 0 : known->second, each.info.time_ns), &each});
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const Line& one, const Line& other) { return one.spent > other.spent; });
    lines.resize(std::min(lines.size(), kThreadsShown));
    std::printf("\n%8s %7s %5s %5s  %-8s  %s\n", "THREAD", "TIME", "HART", "PRIO", "STATE",
                "PROCESS / NAME");
    for (const Line& line : lines) {
        const kairos_info_thread& info = line.thread->info;
        const auto name = now.process_names.find(info.process_id);
        std::printf("%8" PRIu64 " %6.1f%% %5" PRIu32 " %5" PRIu32 "  %-8s  %" PRIu64 " %s / %s\n",
                    line.thread->id, percent(line.spent, now.time - before.time), info.hart,
                    info.priority, common::name_of(common::kThreadStateNames, info.state),
                    info.process_id, name == now.process_names.end() ? "?" : name->second.data(),
                    info.name);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto seconds = argc > 1 ? common::parse_number(argv[1]) : 1;
    const auto rounds = argc > 2 ? common::parse_number(argv[2]) : UINT64_MAX;
    if (argc > 3 || !seconds || *seconds == 0 || !rounds) {
        return common::usage("top", "[SECONDS [ROUNDS]]");
    }
    auto before = take_sample();
    for (uint64_t round = 0; before && round < *rounds; ++round) {
        kairos_sleep_until(kairos_clock_now() + *seconds * kairos::kSecond);
        auto now = take_sample();
        if (now) {
            std::fputs(kHomeAndClear, stdout);
            print_harts(*before, *now);
            print_threads(*before, *now);
            std::fflush(stdout);
        }
        before = std::move(now);
    }
    return before ? 0 : common::complain("top", "cannot look at the system", before.error());
}
