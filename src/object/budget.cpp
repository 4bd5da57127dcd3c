#include "object/budget.h"

#include "object/object_storage.h"

Budget::Budget(uint64_t limit, Charge carved)
    : Object(kType, nullptr), limit_(limit), carved_(std::move(carved)) {}

Budget& Budget::create_root(uint64_t bytes) {
    alignas(Budget) static char storage[sizeof(Budget)];
    Budget& root = *new (storage) Budget(bytes, {});
    ObjectRegistry::add(root);
    return root;
}

Result<Ref<Budget>> Budget::create(Budget& parent, uint64_t bytes, Budget& payer) {
    if (bytes == 0) return Fail(Error::INVAL);
    Charge carved = TRY(parent.charge(bytes));
    return ObjectStorage<Budget>::create(payer, bytes, std::move(carved));
}

bool Budget::dismantle() {
    carved_.give_back();
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
