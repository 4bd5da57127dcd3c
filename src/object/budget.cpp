#include "object/budget.h"

#include "object/budget_audit.h"
#include "object/object_storage.h"

// All budgets, by id.
struct Budget::List {
    struct KeyOf {
        uint64_t operator()(const Budget& budget) const {
            return static_cast<uint64_t>(budget.id());
        }
    };
    SpinLock lock{LockRank::kRegistry};
    Tree<Budget, &Budget::list_node_, KeyOf> budgets GUARDED_BY(lock);

    static List all;

    static void add(Budget& budget) {
        LockGuard guard(all.lock);
        all.budgets.insert(budget);
    }
    static void remove(Budget& budget) {
        LockGuard guard(all.lock);
        all.budgets.remove(budget);
    }
};

constinit Budget::List Budget::List::all;

Budget::Budget(uint64_t limit, Charge carved, bool root)
    : Object(kType, nullptr), limit_(limit), root_(root), carved_(std::move(carved)) {
    if (!root_) carved_.budget()->carved_out_.fetch_add(limit_, std::memory_order_relaxed);
}

Budget& Budget::create_root(uint64_t bytes) {
    alignas(Budget) static char storage[sizeof(Budget)];
    Budget& root = *new (storage) Budget(bytes, {}, true);
    ObjectRegistry::add(root);
    List::add(root);
    BudgetAccounts::begin();
    return root;
}

Result<Ref<Budget>> Budget::create(Budget& parent, uint64_t bytes, Budget& payer) {
    if (bytes == 0) return Fail(Error::INVAL);
    Charge carved = TRY(parent.charge(bytes));
    Ref<Budget> child = TRY(ObjectStorage<Budget>::create(payer, bytes, std::move(carved)));
    List::add(*child);
    return child;
}

Ref<Budget> Budget::next(ObjectId after) {
    LockGuard guard(List::all.lock);
    Budget* found = List::all.budgets.lower_bound(static_cast<uint64_t>(after) + 1);
    for (; found != nullptr; found = List::all.budgets.after(*found)) {
        if (found->try_retain()) return Ref<Budget>(*found, kAdoptReference);
    }
    return nullptr;
}

bool Budget::dismantle() {
    carved_.budget()->carved_out_.fetch_sub(limit_, std::memory_order_relaxed);
    carved_.give_back();
    List::remove(*this);
    return true;
}

void Budget::free_memory() { ObjectStorage<Budget>::free(*this); }

Result<Charge> Budget::charge(uint64_t bytes) {
    TRY(take(bytes));
    return Charge(*this, bytes);
}

Status Budget::take(uint64_t bytes) {
    uint64_t used = used_.load(std::memory_order_relaxed);
    do {
        if (bytes > limit_ - used) return Fail(Error::DQUOT);
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    uint64_t peak = peak_.load(std::memory_order_relaxed);
    while (peak < used + bytes &&
           !peak_.compare_exchange_weak(peak, used + bytes, std::memory_order_relaxed)) {}
    return {};
}

void Budget::put(uint64_t bytes) {
    const uint64_t before = used_.fetch_sub(bytes, std::memory_order_relaxed);
    check(before >= bytes, "a budget got back more than was taken");
}

Status Charge::grow(uint64_t bytes) {
    TRY(budget_->take(bytes));
    bytes_ += bytes;
    return {};
}

void Charge::shrink(uint64_t bytes) {
    check(bytes <= bytes_, "a charge shrank below zero");
    budget_->put(bytes);
    bytes_ -= bytes;
}

void Charge::give_back() {
    if (!budget_) return;
    budget_->put(bytes_);
    bytes_ = 0;
    budget_ = nullptr;
}
