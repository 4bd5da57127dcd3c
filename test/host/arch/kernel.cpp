#include "hosted/kernel.h"

#include "hosted/machine.h"
#include "mm/frames.h"
#include "object/graveyard.h"
#include "object/reclaim.h"
#include "sync/hart.h"

namespace hosted {

namespace {

// Two pieces of RAM with a gap between them and a reserved range in one, as real machines have.
void give_memory() {
    constexpr uint64_t kGap = uint64_t{1} << 20;
    constexpr uint64_t kFirst = 5 * kGap;
    mm::BootMemory memory;
    memory.add_usable(kRamBase + (kFirst + kGap), kKernelRam - kFirst - kGap);
    memory.add_usable(kRamBase, kFirst);
    memory.add_reserved(kRamBase + 3 * kGap, 123'456);
    mm::init_frames(memory);
}

AddressSpace* spaces[kHarts];  // in which each hart runs

bool resolve(VirtualAddress address, arch::Access access) {
    AddressSpace* space = spaces[this_hart().index.value];
    return space != nullptr && space->resolve_fault(address, access);
}

Budget& start_kernel() {
    start(kHarts);
    on_page_fault = resolve;
    give_memory();
    for (uint32_t i = kHarts; i-- > 0;) {
        enter_hart({i});
        if (i != 0)
            (void)Reclaim::enter_idle();  // nobody waits for the harts that a test does not use
    }
    return Budget::create_root(mm::free_frames_count() * kPageSize);
}

}  // namespace

Budget& kernel() {
    static Budget& root = start_kernel();
    enter_hart({0});
    return root;
}

void run_in(AddressSpace* space) {
    spaces[this_hart().index.value] = space;
    enter_space(space == nullptr ? nullptr : &space->page_table());
}

// What is freed may hold the last reference to something else, hence several rounds.
void settle() {
    for (int round = 0; round < 4; ++round) {
        for (uint32_t i = 0; i < kHarts; ++i) {
            enter_hart({i});
            Graveyard::drain();
            Reclaim::quiescent();
            while (Reclaim::free_a_piece()) {}
        }
        enter_hart({0});
        Reclaim::drain();
    }
}

}  // namespace hosted
