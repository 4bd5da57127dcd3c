// Which harts run the kernel, and how the firmware names sets of them.
#pragma once

#include <cstdint>

#include "sbi.h"
#include "sync/hart.h"

namespace arch {

// Sets of harts in the kernel: a bit for each HartIndex.
static_assert(kMaxHarts <= 32);

// A hart says so itself, before it can be interrupted or remember a translation.
void note_hart_live(Hart& hart);
uint32_t live_harts();

// Calls `action(sbi::HartSet)` until all `harts` were named. Hardware ids may be any numbers; one
// call can name those that lie within 64 of each other.
template <typename Action>
void for_each_hart_set(uint32_t harts, Action action) {
    while (harts != 0) {
        sbi::HartSet set{.mask = 0, .base = UINT64_MAX};
        const auto for_each = [&](auto visit) {
            for (uint32_t i = 0; i < kMaxHarts; ++i) {
                if ((harts >> i & 1) != 0) visit(1u << i, Harts::at({i}).hardware_id);
            }
        };
        for_each([&](uint32_t, uint64_t id) { set.base = id < set.base ? id : set.base; });
        uint32_t named = 0;
        for_each([&](uint32_t bit, uint64_t id) {
            if (id - set.base >= 64) return;
            set.mask |= uint64_t{1} << (id - set.base);
            named |= bit;
        });
        harts &= ~named;
        action(set);
    }
}

}  // namespace arch
