#include "object/budget_audit.h"

#include "mm/frames.h"
#include "mm/kernel_stack.h"
#include "mm/object_cache.h"
#include "object/budget.h"
#include "object/reclaim.h"
#include "sync/preemption.h"
#include "trace/counters.h"
#include "trace/warn.h"

namespace {

// Budgets that are looked at without letting others run; with more, a hart at rest does not audit.
constexpr uint32_t kMostAtRest = 256;

uint64_t frames_at_the_beginning = 0;  // that could be had by anybody; written at boot

uint64_t frames_left_by_others() {
    return mm::free_frames_count() + mm::SlabCache::handed_out().frames +
           mm::KernelStack::handed_out().frames;
}

// Adds what each budget says. `next_one()` is called between two; false ends it early.
template <typename NextOne>
bool add_budgets(BudgetAccounts& accounts, NextOne next_one) {
    uint64_t limits = 0;
    uint64_t carved = 0;
    auto at = ObjectId::kNone;
    for (Ref<Budget> budget; (budget = Budget::next(at)); ++accounts.budgets) {
        at = budget->id();
        const uint64_t used = budget->used();
        const uint64_t carved_here = budget->carved_out();
        accounts.sound &= carved_here <= used && used <= budget->limit();
        accounts.charged += used - carved_here;
        carved += carved_here;
        if (!budget->is_root()) limits += budget->limit();
        if (!next_one()) return false;
    }
    accounts.sound &= carved == limits;
    return true;
}

void add_allocations(BudgetAccounts& accounts) {
    const mm::HandedOut cells = mm::SlabCache::handed_out();
    const mm::HandedOut stacks = mm::KernelStack::handed_out();
    const uint64_t frames =
        frames_at_the_beginning - mm::free_frames_count() - cells.frames - stacks.frames;
    accounts.shared = mm::extra_frame_users() * kPageSize;
    accounts.allocated = cells.charged_bytes + stacks.charged_bytes + frames * kPageSize;
    accounts.own =
        (cells.frames + stacks.frames) * kPageSize - cells.charged_bytes - stacks.charged_bytes;
    accounts.allocated += accounts.shared;
}

}  // namespace

void BudgetAccounts::begin() { frames_at_the_beginning = frames_left_by_others(); }

BudgetAccounts BudgetAccounts::take() {
    BudgetAccounts accounts;
    add_budgets(accounts, [] {
        preemption_point();
        return true;
    });
    add_allocations(accounts);
    return accounts;
}

void audit_budgets_at_rest() {
    const uint64_t before = Reclaim::wakes();
    if (!Reclaim::at_rest()) return;
    BudgetAccounts accounts;
    if (!add_budgets(accounts, [&] { return accounts.budgets < kMostAtRest; })) return;
    add_allocations(accounts);
    if (!Reclaim::at_rest() || Reclaim::wakes() != before) return;  // somebody woke meanwhile
    count(Counter::budget_audits);
    if (accounts.add_up()) return;
    count(Counter::budget_mismatches);
    static constinit RateLimit limit;
    warn(limit, "%u budgets: %lu bytes are charged, %lu are allocated%s", accounts.budgets,
         accounts.charged, accounts.allocated,
         accounts.sound ? "" : ", and a budget has carved out more than it has");
}
