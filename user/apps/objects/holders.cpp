// Who holds an object, and what a process holds; see the header.
#include "apps/objects/holders.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <string>

#include "apps/common/object_names.hpp"
#include "apps/common/system.hpp"

namespace objects {

namespace {

// Deeper ones are printed as if they were not.
constexpr uint32_t kDeepest = 20;

std::string rights_text(uint32_t rights) {
    std::string text;
    for (uint32_t bit = 0; bit < common::kRightNames.size(); ++bit) {
        if ((rights >> bit & 1) == 0) continue;
        if (!text.empty()) text += '|';
        text += common::kRightNames[bit];
    }
    return text.empty() ? "no rights" : text;
}

// "process ID 'NAME'", without a name if it has ended.
std::string process_text(uint64_t id) {
    if (id == 0) return "nobody known";
    std::string text = "process " + std::to_string(id);
    kairos_object_entry entry{};
    const kairos_status_t found =
        kairos_system_list(common::system_resource(), KOBJ_TYPE_PROCESS, id - 1, &entry, 1);
    if (found == 1 && entry.id == id) text += std::string(" '") + entry.name + "'";
    return text;
}

// Where it is, in its process.
std::string place_text(const kairos_handle_entry& entry) {
    char text[40];
    switch (entry.place) {
        case KAIROS_PLACE_DESCRIPTOR:
            std::snprintf(text, sizeof(text), "fd %" PRIu32, entry.value);
            return text;
        case KAIROS_PLACE_RESERVED:
            std::snprintf(text, sizeof(text), "handle 0x%" PRIx32 ", being sent", entry.value);
            return text;
        default:
            std::snprintf(text, sizeof(text), "handle 0x%" PRIx32, entry.value);
            return text;
    }
}

std::string holder_text(const kairos_handle_entry& entry) {
    const std::string carrier = std::to_string(entry.carrier_id);
    if (entry.place == KAIROS_PLACE_MAPPING) return "mapped in address space " + carrier;
    const std::string process = process_text(entry.process_id);
    if (entry.place != KAIROS_PLACE_IN_FLIGHT) return process + ": " + place_text(entry);
    return (entry.carrier_id == 0 ? "on its way" : "in the queue of " + carrier) + ", sent by " +
           process;
}

using ListCall = kairos_status_t (*)(kairos_handle_t, uint64_t, uint64_t, kairos_handle_entry*,
                                     uint32_t);

// Prints each line of a list, under a title if there is any.
template <typename Print>
kairos::Result<> print_list(ListCall call, uint64_t id, const char* title, Print print) {
    std::array<kairos_handle_entry, 32> page;
    for (uint64_t printed = 0;;) {
        const kairos_status_t count =
            call(common::system_resource(), id, printed, page.data(), page.size());
        if (count <= 0) return kairos::to_result(count);
        if (printed == 0) std::printf("%s:\n", title);
        for (const kairos_handle_entry& entry : std::span(page).first(count)) print(entry);
        printed += static_cast<uint64_t>(count);
    }
}

}  // namespace

kairos::Result<> print_holders(uint64_t id) {
    return print_list(kairos_system_holders, id, "holders", [](const auto& entry) {
        const uint32_t depth = std::min(entry.depth, kDeepest);
        std::printf("%*s%s, %s\n", static_cast<int>(2 + 2 * depth), "", holder_text(entry).c_str(),
                    rights_text(entry.rights).c_str());
    });
}

kairos::Result<> print_handles(uint64_t process) {
    return print_list(kairos_system_handles, process, "its handles", [](const auto& entry) {
        std::printf("  %s: %s %" PRIu64 ", %s\n", place_text(entry).c_str(),
                    common::name_of(common::kTypeNames, entry.type), entry.object_id,
                    rights_text(entry.rights).c_str());
    });
}

}  // namespace objects
