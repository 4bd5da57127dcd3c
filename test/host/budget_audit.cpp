// The audit of budgets: what is charged is what is allocated, whatever there is, and a byte more or
// less on either side is found.
#include "object/budget_audit.h"

#include <vector>

#include "memory_fixture.h"
#include "mm/frames.h"
#include "sync/hart.h"
#include "trace/counters.h"

namespace {

using namespace memory_test;

// What is allocated and charged to nobody; other tests may have left something.
int64_t uncharged() {
    const BudgetAccounts accounts = BudgetAccounts::take();
    CHECK(accounts.sound);
    return static_cast<int64_t>(accounts.allocated - accounts.charged);
}

// As if every hart were asleep.
uint64_t mismatches_at_rest() {
    const uint64_t before = counter_total(Counter::budget_mismatches);
    const uint64_t audits = counter_total(Counter::budget_audits);
    for (uint32_t i = 0; i < hosted::kHarts; ++i) {
        hosted::enter_hart({i});
        CHECK(Reclaim::enter_idle());
    }
    hosted::enter_hart({0});
    audit_budgets_at_rest();
    Reclaim::leave_idle();
    CHECK(counter_total(Counter::budget_audits) == audits + 1);
    return counter_total(Counter::budget_mismatches) - before;
}

}  // namespace

TEST_CASE("budget audit: mappings, pages, tables and clones add up") {
    Fixture fixture;
    const int64_t before = uncharged();
    REQUIRE(fixture.map(kBase, 600, kData, kAll).ok());
    for (uint64_t i = 0; i < 600; i += 3) CHECK(fixture.writable(page(i)));
    CHECK(uncharged() == before);
    const uint64_t shared = BudgetAccounts::take().shared;
    Ref<MemoryObject> clone =
        fixture.memory->clone({0, 600 * kPageSize}, *fixture.budget, MemoryObject::Resizable::kNo)
            .take();
    CHECK(BudgetAccounts::take().shared == shared + 200 * kPageSize);
    CHECK(uncharged() == before);
    for (uint64_t i = 0; i < 30; i += 3) CHECK(fixture.writable(page(i)));
    hosted::settle();
    CHECK(BudgetAccounts::take().shared == shared + 190 * kPageSize);
    CHECK(uncharged() == before);
    REQUIRE(fixture.unmap(page(100), 100).ok());
    CHECK(uncharged() == before);
    clone = nullptr;
    hosted::settle();
    CHECK(BudgetAccounts::take().shared == shared);
    CHECK(uncharged() == before);
}

TEST_CASE("budget audit: a budget inside another is counted once") {
    Fixture fixture;
    const BudgetAccounts before = BudgetAccounts::take();
    Ref<Budget> child = Budget::create(*fixture.budget, kMiB, *fixture.budget).take();
    const BudgetAccounts with_child = BudgetAccounts::take();
    CHECK(with_child.sound);
    CHECK(with_child.budgets == before.budgets + 1);
    CHECK(with_child.charged - before.charged < kPageSize);
    CHECK(with_child.charged - before.charged == with_child.allocated - before.allocated);
    CHECK(fixture.budget->carved_out() == kMiB);
    child = nullptr;
    hosted::settle();
    CHECK(fixture.budget->carved_out() == 0);
    CHECK(BudgetAccounts::take().charged == before.charged);
}

TEST_CASE("budget audit: finds what was not charged, and what was charged for nothing") {
    Fixture fixture;
    hosted::settle();
    const int64_t before = uncharged();
    const PhysicalAddress frame = mm::allocate_frame().take();
    CHECK(uncharged() == before + static_cast<int64_t>(kPageSize));
    CHECK(mismatches_at_rest() == 1);
    REQUIRE(fixture.budget->take(kPageSize).ok());
    CHECK(uncharged() == before);
    mm::free_frame(frame);
    CHECK(uncharged() == before - static_cast<int64_t>(kPageSize));
    CHECK(mismatches_at_rest() == 1);
    fixture.budget->put(kPageSize);
    CHECK(uncharged() == before);
    CHECK(mismatches_at_rest() == (before == 0 ? 0 : 1));
}
