// Looking at all objects of the system with the SYSTEM resource that a program was given.
#pragma once

#include <kairos/info.h>
#include <kairos/handle.hpp>

#include <array>
#include <span>

namespace common {

inline kairos_handle_t system_resource() { return kairos_bootstrap(KAIROS_BOOT_RESOURCE); }

// Calls `visit` with the entry of each living object of `type` (0: of every type), by rising id.
// Errors as kairos_system_list.
template <typename Visitor>
kairos::Result<> for_each_object(uint32_t type, Visitor visit) {
    std::array<kairos_object_entry, 32> page;
    uint64_t last = 0;
    while (true) {
        const kairos_status_t count =
            kairos_system_list(system_resource(), type, last, page.data(), page.size());
        if (count <= 0) return kairos::to_result(count);
        for (const kairos_object_entry& entry : std::span(page).first(count)) visit(entry);
        last = page[count - 1].id;
    }
}

// Opens the object with this id. Errors as kairos_system_open.
inline kairos::Result<kairos::Handle> open_object(uint64_t id, kairos_rights_t rights) {
    kairos_handle_t handle = KAIROS_HANDLE_INVALID;
    const kairos_status_t status = kairos_system_open(system_resource(), id, rights, &handle);
    if (status < 0) return kairos::failure(status);
    return kairos::Handle(handle);
}

// What `topic` says of the object: a list of Entry, or one. Errors as kairos_object_info.
template <typename Entry>
kairos::Result<std::span<Entry>> read_list(kairos_handle_t object, uint32_t topic,
                                           std::span<Entry> room) {
    const kairos_status_t size = kairos_object_info(object, topic, room.data(), room.size_bytes());
    if (size < 0) return kairos::failure(size);
    return room.first(static_cast<size_t>(size) / sizeof(Entry));
}
template <typename Info>
kairos::Result<Info> read_info(kairos_handle_t object, uint32_t topic) {
    Info info{};
    const auto read = read_list(object, topic, std::span(&info, 1));
    if (!read) return std::unexpected(read.error());
    return info;
}

// The totals of the system.
inline kairos::Result<kairos_info_system> read_totals() {
    return read_info<kairos_info_system>(system_resource(), KAIROS_INFO_SYSTEM);
}

}  // namespace common
