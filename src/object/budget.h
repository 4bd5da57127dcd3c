// Budgets: what memory a process may make the kernel spend. Everything allocated on behalf of a
// process is charged to its budget and given back when the thing goes. A child's limit is carved
// out of its parent's when it is made, so a charge looks at one budget only, and the sum over the
// tree never exceeds the root's limit, which is the machine's memory.
#pragma once

#include <atomic>
#include <utility>

#include "base/result.h"
#include "object/object.h"

// Bytes taken from a budget; gives them back when it goes. Move-only.
class Charge {
  public:
    Charge() = default;
    Charge(Charge&& other) noexcept
        : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
    Charge& operator=(Charge&& other) noexcept {
        give_back();
        budget_ = std::move(other.budget_);
        bytes_ = std::exchange(other.bytes_, 0);
        return *this;
    }
    ~Charge() { give_back(); }

    uint64_t bytes() const { return bytes_; }
    const Ref<Budget>& budget() const { return budget_; }
    // Takes more from the same budget, or gives some of it back. -EDQUOT: nothing has changed.
    Status grow(uint64_t bytes);
    void shrink(uint64_t bytes);
    void give_back();

  private:
    friend class Budget;
    Charge(Budget& budget, uint64_t bytes) : budget_(budget), bytes_(bytes) {}

    Ref<Budget> budget_;
    uint64_t bytes_ = 0;
};

class Budget final : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kBudget;

    // The budget of everything; boot only.
    static Budget& create_root(uint64_t bytes);
    // Takes `bytes` from `parent`; what the object itself costs is charged to `payer`. -EINVAL:
    // nothing asked for; -EDQUOT, -ENOMEM.
    static Result<Ref<Budget>> create(Budget& parent, uint64_t bytes, Budget& payer);

    // -EDQUOT when the limit would be passed. Never blocks, never fails otherwise.
    Result<Charge> charge(uint64_t bytes);

    uint64_t limit() const { return limit_; }
    uint64_t used() const { return used_.load(std::memory_order_relaxed); }
    uint64_t peak() const { return peak_.load(std::memory_order_relaxed); }
    // Of what is used, the limits of its children.
    uint64_t carved_out() const { return carved_out_.load(std::memory_order_relaxed); }
    bool is_root() const { return root_; }
    // The living budget with the lowest id above `after`; null at the end.
    static Ref<Budget> next(ObjectId after);

    // The two halves of a charge, for what keeps the amount in its own way. Whoever takes also
    // counts a reference to the budget until it has put everything back.
    Status take(uint64_t bytes);
    void put(uint64_t bytes);

  private:
    template <typename T>
    friend class ObjectStorage;
    struct List;

    Budget(uint64_t limit, Charge carved, bool root = false);
    bool dismantle() override;
    void free_memory() override;

    const uint64_t limit_;
    std::atomic<uint64_t> used_{0};
    std::atomic<uint64_t> peak_{0};
    std::atomic<uint64_t> carved_out_{0};
    const bool root_;
    Charge carved_;       // out of the parent
    TreeNode list_node_;  // in the list of all budgets, from creation until it is dismantled
};
