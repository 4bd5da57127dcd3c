// Audit of budgets: what all of them together were charged is what the allocators have handed out
// on behalf of processes, to the byte.
//
//     charged    what each budget uses, without the limits of its children, which are its charges
//     in
//                turn
//     allocated  cells of object caches that budgets pay for
//                + kernel stacks of threads
//                + all other page frames that have left the allocator since the root budget was
//                made
//                + one page for each user of a frame beyond the first: whatever shows a page that
//                  clones share is charged for it, so it counts as often as it is charged
//
// The kernel's own is on neither side: what slabs, magazines and the pool of stacks keep aside, and
// the tables that map stacks.
//
// Charging and allocating are two steps, and frames that wait for a grace period are still out. So
// the two sums are equal where nobody is in between: when all harts idle and nothing waits
// (audit_budgets_at_rest), or for a caller who knows that nobody else does anything.
#pragma once

#include <cstdint>

struct BudgetAccounts {
    uint64_t charged = 0;
    uint64_t allocated = 0;
    uint64_t shared = 0;  // of `allocated`: users beyond the first
    uint64_t own = 0;     // frames that are charged to nobody
    uint32_t budgets = 0;
    bool sound = true;  // no budget uses more than its limit, or less than it has carved out

    // From here on frames that leave the allocator are counted; with the root budget.
    static void begin();
    // No lock is held. May be preempted.
    static BudgetAccounts take();
    bool add_up() const { return sound && charged == allocated; }
};

// Called by a hart that is about to sleep, in debug builds: if all others sleep too, and have done
// so throughout, and nothing waits to be freed, warns when the accounts do not add up.
void audit_budgets_at_rest();
