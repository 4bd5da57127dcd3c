// trace: shows what the kernel does, as it does it, until Ctrl-C. Needs the SYSTEM resource.
//
// What the program itself and the console do for it is left out unless -a is given: each line shown
// would make the next. The kinds recorded before are put back at the end; after Ctrl-C, which ends
// the program at once, they stay.
#include <kairos/kairos.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "apps/common/complain.hpp"
#include "apps/common/number.hpp"
#include "apps/common/trace_text.hpp"

namespace {

constexpr char kUsage[] =
    "[-k KIND,...] [-o OBJECT] [-p PROCESS] [-n RECORDS] [-a]\n"
    "kinds: ipc wake cap object sched syscall life all none\n"
    "'trace -k KIND,... -n 0' only switches what is recorded";

struct Options {
    uint32_t kinds = KAIROS_TRACE_ALL;
    uint64_t object = 0;
    uint64_t process = 0;
    uint64_t records = UINT64_MAX;
    bool everybody = false;
};

bool read_kinds(std::string_view list, uint32_t& kinds) {
    kinds = 0;
    while (!list.empty()) {
        const size_t comma = std::min(list.find(','), list.size());
        const std::string_view name = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        if (name == "all") {
            kinds |= KAIROS_TRACE_ALL;
        } else if (const uint32_t bit = common::TraceText::find_kind(name)) {
            kinds |= bit;
        } else if (name != "none") {
            return false;
        }
    }
    return true;
}

bool read_options(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "-a") == 0) {
            options.everybody = true;
            continue;
        }
        if (argv[i][0] != '-' || argv[i][1] == 0 || i + 1 == argc) return false;
        const char option = argv[i][1];
        const char* value = argv[++i];
        if (option == 'k') {
            if (!read_kinds(value, options.kinds)) return false;
            continue;
        }
        const auto number = common::parse_number(value);
        if (!number) return false;
        if (option == 'o') {
            options.object = *number;
        } else if (option == 'p') {
            options.process = *number;
        } else if (option == 'n') {
            options.records = *number;
        } else {
            return false;
        }
    }
    return true;
}

// Which process a thread belongs to, remembered beyond its end.
class Processes {
  public:
    uint64_t of_thread(uint64_t thread) {
        const auto known = of_.find(thread);
        if (known != of_.end()) return known->second;
        static_cast<void>(common::for_each_object(
            KOBJ_TYPE_THREAD, [&](const auto& entry) { of_[entry.id] = entry.process_id; }));
        return of_[thread];
    }
    void learn(const kairos_trace_record& record) {
        if (record.event == KAIROS_TRACE_thread_start) of_[record.values[0]] = record.values[1];
    }

  private:
    std::map<uint64_t, uint64_t> of_;
};

// The processes whose doings come of showing lines.
std::set<uint64_t> ourselves() {
    std::set<uint64_t> ids;
    const auto self =
        common::read_info<kairos_info_basic>(kairos_self_process(), KAIROS_INFO_BASIC);
    if (self) ids.insert(self->id);
    static_cast<void>(common::for_each_object(KOBJ_TYPE_PROCESS, [&](const auto& entry) {
        if (std::string_view(entry.name) == "console") ids.insert(entry.id);
    }));
    return ids;
}

class Tracer {
  public:
    Tracer(const Options& options, common::TraceText text)
        : options_(options), text_(std::move(text)) {
        if (!options.everybody) silent_ = ourselves();
    }

    kairos::Result<> run() {
        common::TraceReader reader;
        if (const auto begun = reader.begin(common::system_resource()); !begun) return begun;
        uint64_t lost = 0;
        while (shown_ < options_.records) {
            const auto records = reader.take();
            if (!records) return std::unexpected(records.error());
            if (reader.lost() != lost) {
                std::printf("(%" PRIu64 " records lost)\n", reader.lost() - lost);
                lost = reader.lost();
            }
            for (const kairos_trace_record& record : *records) show(record);
            std::fflush(stdout);
            kairos_sleep_until(kairos_clock_now() + kPause);
        }
        return {};
    }

  private:
    static constexpr uint64_t kPause = 50'000'000;

    void show(const kairos_trace_record& record) {
        processes_.learn(record);
        if (shown_ == options_.records || !wanted(record)) return;
        char line[256];
        const size_t length = text_.write(record, line, sizeof(line));
        std::fwrite(line, 1, length, stdout);
        ++shown_;
    }

    bool wanted(const kairos_trace_record& record) {
        if ((options_.kinds >> record.kind & 1) == 0) return false;
        if (options_.object != 0 && !text_.concerns(record, options_.object)) return false;
        const uint64_t process = processes_.of_thread(record.thread_id);
        if (options_.process != 0 && process != options_.process) return false;
        return !silent_.contains(process);
    }

    const Options options_;
    const common::TraceText text_;
    Processes processes_;
    std::set<uint64_t> silent_;
    uint64_t shown_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!read_options(argc, argv, options)) return common::usage("trace", kUsage);
    auto text = common::TraceText::load(common::system_resource());
    if (!text) return common::complain("trace", "cannot read the names of events", text.error());
    const kairos_status_t before = kairos_trace_control(common::system_resource(), options.kinds);
    if (before < 0) {
        return common::complain("trace", "cannot switch the trace",
                                kairos::failure(before).error());
    }
    if (options.records == 0) return 0;
    const auto done = Tracer(options, std::move(*text)).run();
    kairos_trace_control(common::system_resource(), static_cast<uint32_t>(before));
    return done ? 0 : common::complain("trace", "cannot read the trace", done.error());
}
