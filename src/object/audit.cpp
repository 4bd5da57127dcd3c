// Audits of who owns an object: the owners of the classes 'handle' and 'descriptor' are as many as
// the delegation tree has nodes for them, and no fewer references are counted than owners, each of
// whom counts one.
//
// A handle that is being made or closed right now is counted on one side before the other, for some
// hundred instructions. So what does not add up is read again until it does, and only a mismatch
// that stays the same for a tenth of a second is one.
#include "arch/hart.h"
#include "arch/time.h"
#include "object/object.h"
#include "object/registry.h"
#include "sync/preemption.h"
#include "trace/counters.h"
#include "trace/warn.h"

namespace {
constexpr uint64_t kPersistsNanoseconds = 100'000'000;

constinit std::atomic<uint64_t> next_audited{0};
}  // namespace

Object::Account Object::account() {
    LockGuard guard(lineage_lock_);
    return {.owners = owners_.load(std::memory_order_seq_cst),
            .references = references(),
            .owners_in_tree = owners_in_tree_};
}

bool Object::Account::adds_up() const {
    return caps_in(owners) == owners_in_tree && references >= sum_of(owners);
}

void Object::audit_owners() {
    count(Counter::owner_audits);
    Account seen = account();
    if (seen.adds_up()) return;
    const uint64_t since = arch::now().nanoseconds;
    while (arch::now().nanoseconds - since < kPersistsNanoseconds) {
        preemption_point();
        arch::relax();
        const Account again = account();
        if (again.adds_up() || again != seen) return;  // somebody was just changing it
    }
    count(Counter::owner_mismatches);
    static constinit RateLimit limit;
    warn(limit,
         "object %lu: %u handles and descriptors and %lu owners are counted, %u are there, with %u "
         "references",
         static_cast<uint64_t>(id_), caps_in(seen.owners), sum_of(seen.owners), seen.owners_in_tree,
         seen.references);
}

void audit_next_object() {
    const auto after = static_cast<ObjectId>(next_audited.load(std::memory_order_relaxed));
    Ref<Object> object = ObjectRegistry::next(after, ObjectType::kAny);
    next_audited.store(object ? static_cast<uint64_t>(object->id()) : 0, std::memory_order_relaxed);
    if (object) object->audit_owners();
}
