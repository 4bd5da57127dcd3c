// Lists of who holds an object and of what a process holds, read whole.
#pragma once

#include "owned.h"

using Entry = kairos_handle_entry;

inline kairos_handle_t root() { return kairos_bootstrap(KAIROS_BOOT_RESOURCE); }

inline uint64_t own_id() { return id_of(kairos_self_process()); }

// A list as it is read, in pages of `page` lines.
struct List {
    using Call = kairos_status_t (*)(kairos_handle_t, uint64_t, uint64_t, Entry*, uint32_t);
    static constexpr uint32_t kMost = 600;

    List(Call call, uint64_t id, uint32_t page = kMost) {
        while (count < kMost) {
            const uint32_t room = kMost - count < page ? kMost - count : page;
            const kairos_status_t got = call(root(), id, count, lines + count, room);
            REQUIRE(got >= 0 && got <= static_cast<kairos_status_t>(room));
            if (got == 0) break;
            count += static_cast<uint32_t>(got);
        }
    }
    // The first line for which `fits`; null if there is none.
    template <typename Fits>
    const Entry* find(Fits fits) const {
        for (uint32_t i = 0; i < count; ++i) {
            if (fits(lines[i])) return &lines[i];
        }
        return nullptr;
    }
    const Entry* of_cap(uint64_t cap) const {
        return find([&](const Entry& line) { return line.cap_id == cap; });
    }

    Entry lines[kMost];
    uint32_t count = 0;
};

inline List holders_of(uint64_t id, uint32_t page = List::kMost) {
    return List(kairos_system_holders, id, page);
}
inline List holders_of(const Owned& object) { return holders_of(id_of(object)); }
inline List handles_of(uint64_t process, uint32_t page = List::kMost) {
    return List(kairos_system_handles, process, page);
}
