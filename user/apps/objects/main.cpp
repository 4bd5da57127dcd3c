// objects: counts the kernel's objects by type; objects TYPE: lists those of one type;
// objects ID: describes one. Needs the SYSTEM resource.
#include <cinttypes>
#include <cstdio>

#include "apps/common/complain.hpp"
#include "apps/common/number.hpp"
#include "apps/common/object_names.hpp"
#include "apps/common/system.hpp"
#include "apps/objects/describe.hpp"

namespace {

int count_by_type() {
    std::array<uint64_t, KOBJ_TYPE_COUNT> counts{};
    uint64_t total = 0;
    const auto listed = common::for_each_object(0, [&](const auto& entry) {
        if (entry.type < counts.size()) ++counts[entry.type];
        ++total;
    });
    if (!listed) return common::complain("objects", "cannot list objects", listed.error());
    for (uint32_t type = 0; type < counts.size(); ++type) {
        if (counts[type] == 0) continue;
        std::printf("%8" PRIu64 "  %s\n", counts[type], common::name_of(common::kTypeNames, type));
    }
    std::printf("%8" PRIu64 "  in all\n", total);
    return 0;
}

int list(uint32_t type) {
    std::printf("%8s  %-8s %10s %8s %8s  %s\n", "ID", "STATE", "REFERENCES", "HANDLES", "PROCESS",
                "NAME");
    const auto listed = common::for_each_object(type, [](const auto& entry) {
        std::printf("%8" PRIu64 "  %-8s %10" PRIu32 " %8" PRIu32 " %8" PRIu64 "  %s\n", entry.id,
                    common::name_of(common::kLifecycleNames, entry.lifecycle), entry.references,
                    entry.handles, entry.process_id, entry.name);
    });
    return listed ? 0 : common::complain("objects", "cannot list objects", listed.error());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 1) return count_by_type();
    if (argc == 2) {
        if (const uint32_t type = common::find_type(argv[1])) return list(type);
        if (const auto id = common::parse_number(argv[1])) return objects::describe(*id);
    }
    return common::usage("objects", "[TYPE|ID]");
}
