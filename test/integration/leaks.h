// What a process and the whole system hold, to be compared before and after.
//
// Objects and handles have to be back exactly. Of memory the kernel may keep a little aside (an
// empty slab for each kind of object, a stock of kernel stacks): kMemorySlack, counted from the
// program's beginning and not from case to case, so that a small leak adds up. What is in use is to
// the byte what budgets are charged for.
#pragma once

#include <kairos/kairos.h>

namespace harness {

struct Holdings {
    int64_t handles = 0;      // of this process
    int64_t objects = 0;      // of the system
    int64_t memory_free = 0;  // bytes, of the system
    int64_t uncharged = 0;    // bytes that are allocated, and that no budget was charged for

    enum Part : uint32_t { kHandles = 1, kObjects = 2, kMemory = 4, kCharges = 8, kAll = 15 };
    static constexpr int64_t kMemorySlack = 1024 * 1024;
    // Tries until what others still take down is taken to be lost.
    static constexpr int kSettleRounds = 20'000;
    static constexpr int kQuietRounds = 50;

    // Without RESOURCE the system's numbers are 0.
    static Holdings now() {
        kairos_info_process process{};
        kairos_object_info(kairos_self_process(), KAIROS_INFO_PROCESS, &process, sizeof(process));
        kairos_info_system system{};
        kairos_object_info(kairos_bootstrap(KAIROS_BOOT_RESOURCE), KAIROS_INFO_SYSTEM, &system,
                           sizeof(system));
        kairos_info_accounts accounts{};
        kairos_object_info(kairos_bootstrap(KAIROS_BOOT_RESOURCE), KAIROS_INFO_ACCOUNTS, &accounts,
                           sizeof(accounts));
        return {process.handles, static_cast<int64_t>(system.objects),
                static_cast<int64_t>(system.memory_free),
                static_cast<int64_t>(accounts.allocated - accounts.charged)};
    }

    // What is held when nothing changes any more.
    static Holdings settled() {
        Holdings last = now();
        int quiet = 0;
        for (int i = 0; i < kSettleRounds && quiet < kQuietRounds; ++i) {
            kairos_yield();
            const Holdings next = now();
            const bool same = next.objects == last.objects && next.memory_free == last.memory_free;
            quiet = same ? quiet + 1 : 0;
            last = next;
        }
        return last;
    }

    bool is_back(const Holdings& before, uint32_t parts) const {
        if ((parts & kHandles) != 0 && handles != before.handles) return false;
        // Fewer: another hart was still taking something down when `before` was taken.
        if ((parts & kObjects) != 0 && objects > before.objects) return false;
        if ((parts & kCharges) != 0 && uncharged != 0) return false;
        return (parts & kMemory) == 0 || memory_free + kMemorySlack >= before.memory_free;
    }

    // Lets others run until as much is held as here, or they have had time enough.
    Holdings wait_until_back(uint32_t parts) const {
        Holdings last = now();
        for (int i = 0; i < kSettleRounds && !last.is_back(*this, parts); ++i) {
            kairos_yield();
            last = now();
        }
        return last;
    }
};

}  // namespace harness
