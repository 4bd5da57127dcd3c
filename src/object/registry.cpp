#include "object/registry.h"

#include "base/tree.h"
#include "sync/preemption.h"
#include "trace/records.h"

namespace {
constexpr int kLookedAtPerHold = 64;

std::atomic<uint64_t> next_id{1};
std::atomic<uint64_t> living{0};
std::atomic<uint32_t> living_of[KOBJ_TYPE_COUNT];
}  // namespace

// Guards a part of the objects, those whose id has a certain remainder.
struct ObjectRegistry::Shard {
    struct KeyOf {
        uint64_t operator()(const Object& object) const {
            return static_cast<uint64_t>(object.id_);
        }
    };
    SpinLock lock{LockRank::kRegistry};
    Tree<Object, &Object::registry_node_, KeyOf> objects;

    static Shard& of(uint64_t id) { return shards[id % kShards]; }
    static Shard shards[kShards];

    // A counted reference to the first object at or above `id`, past those that are going already.
    // Looks at a few under one hold of the lock.
    Ref<Object> at_or_above(uint64_t id, ObjectType type) {
        while (true) {
            {
                LockGuard guard(lock);
                Object* at = objects.lower_bound(id);
                for (int looked = 0; looked < kLookedAtPerHold; ++looked) {
                    if (at == nullptr) return nullptr;
                    const bool fits = type == ObjectType::kAny || at->type() == type;
                    if (fits && at->try_retain()) return Ref<Object>(*at, kAdoptReference);
                    at = objects.after(*at);
                }
                if (at == nullptr) return nullptr;
                id = static_cast<uint64_t>(at->id_);
            }
            preemption_point();
        }
    }
};

constinit ObjectRegistry::Shard ObjectRegistry::Shard::shards[kShards];

void ObjectRegistry::add(Object& object) {
    const uint64_t id = next_id.fetch_add(1, std::memory_order_relaxed);
    object.id_ = static_cast<ObjectId>(id);
    object.become(Lifecycle::kLive);
    trace<TraceEvent::object_create>(id, static_cast<uint64_t>(object.type()));
    living.fetch_add(1, std::memory_order_relaxed);
    living_of[static_cast<uint32_t>(object.type())].fetch_add(1, std::memory_order_relaxed);
    Shard& shard = Shard::of(id);
    LockGuard guard(shard.lock);
    shard.objects.insert(object);
}

void ObjectRegistry::remove(Object& object) {
    trace<TraceEvent::object_free>(static_cast<uint64_t>(object.id_),
                                   static_cast<uint64_t>(object.type()));
    {
        Shard& shard = Shard::of(static_cast<uint64_t>(object.id_));
        LockGuard guard(shard.lock);
        shard.objects.remove(object);
    }
    living.fetch_sub(1, std::memory_order_relaxed);
    living_of[static_cast<uint32_t>(object.type())].fetch_sub(1, std::memory_order_relaxed);
}

Ref<Object> ObjectRegistry::find(ObjectId id) {
    const auto number = static_cast<uint64_t>(id);
    Shard& shard = Shard::of(number);
    LockGuard guard(shard.lock);
    Object* found = shard.objects.lower_bound(number);
    if (found == nullptr || found->id() != id || !found->try_retain()) return nullptr;
    return Ref<Object>(*found, kAdoptReference);
}

Ref<Object> ObjectRegistry::next(ObjectId after, ObjectType type) {
    if (static_cast<uint64_t>(after) == UINT64_MAX) return nullptr;
    Ref<Object> best;
    for (Shard& shard : Shard::shards) {
        Ref<Object> found = shard.at_or_above(static_cast<uint64_t>(after) + 1, type);
        if (found && (!best || found->id() < best->id())) best = std::move(found);
    }
    return best;
}

uint64_t ObjectRegistry::count() { return living.load(std::memory_order_relaxed); }

uint32_t ObjectRegistry::count_of(ObjectType type) {
    return living_of[static_cast<uint32_t>(type)].load(std::memory_order_relaxed);
}

Object* ObjectRegistry::first_of_shard(uint32_t shard) {
    return Shard::shards[shard].objects.first();
}

Object* ObjectRegistry::after_in_shard(uint32_t shard, Object& object) {
    return Shard::shards[shard].objects.after(object);
}
