// What a process and the whole system hold, to be compared before and after.
//
// Objects and handles have to be back exactly. Of memory the kernel may keep a little aside (an
// empty slab for each kind of object, a stock of kernel stacks): kMemorySlack, counted from the
// program's beginning and not from case to case, so that a small leak adds up. What is in use is to
// the byte what budgets are charged for.
#pragma once

#include <kairos/kairos.h>

namespace harness {

// How long to wait for what another hart has to do first. That hart may not have run for a long
// while: the machine is emulated, and its harts share the processors of a busy host. So this is no
// bound on anything but a failing test's time.
class Patience {
  public:
    // Lets others run; false when the time is over.
    bool wait() const {
        kairos_yield();
        return kairos_clock_now() < end_;
    }

  private:
    static constexpr kairos_time_t kNanoseconds = 10'000'000'000;
    const kairos_time_t end_ = kairos_clock_now() + kNanoseconds;
};

struct Holdings {
    int64_t handles = 0;      // of this process, and descriptors
    int64_t objects = 0;      // of the system
    int64_t memory_free = 0;  // bytes, of the system
    int64_t uncharged = 0;    // bytes that are allocated, and that no budget was charged for

    enum Part : uint32_t { kHandles = 1, kObjects = 2, kMemory = 4, kCharges = 8, kAll = 15 };
    static constexpr int64_t kMemorySlack = 1024 * 1024;
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
        return {int64_t{process.handles} + process.fds, static_cast<int64_t>(system.objects),
                static_cast<int64_t>(system.memory_free),
                static_cast<int64_t>(accounts.allocated - accounts.charged)};
    }

    // What is held when nothing changes any more.
    static Holdings settled() {
        Holdings last = now();
        int quiet = 0;
        const Patience patience;
        while (quiet < kQuietRounds && patience.wait()) {
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
        const Patience patience;
        while (!last.is_back(*this, parts) && patience.wait()) last = now();
        return last;
    }
};

}  // namespace harness
