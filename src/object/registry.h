// All living objects by id, for lists and look-ups with RESOURCE authority. Sharded, so that
// creating objects on different harts rarely meets.
#pragma once

#include "base/ref.h"
#include "object/object.h"

class ObjectRegistry {
  public:
    // Gives the object its id, which is never used again, and makes it visible.
    static void add(Object& object);
    static void remove(Object& object);

    // The living object with this id, or null.
    static Ref<Object> find(ObjectId id);
    // The living object with the lowest id above `after` (of one type, or kAny); null at the end.
    // A caller that goes on from the result sees every object that lives throughout. May be
    // preempted.
    static Ref<Object> next(ObjectId after, ObjectType type);

    // Visits every object, without locks: for reports, when every hart stands still.
    template <typename Visit>
    static void for_each_while_stopped(Visit visit) {
        for (uint32_t shard = 0; shard < kShards; ++shard) {
            Object* at = first_of_shard(shard);
            for (; at != nullptr; at = after_in_shard(shard, *at)) visit(*at);
        }
    }

    static uint64_t count();
    static uint32_t count_of(ObjectType type);

  private:
    static constexpr uint64_t kShards = 16;
    struct Shard;
    static Object* first_of_shard(uint32_t shard);
    static Object* after_in_shard(uint32_t shard, Object& object);
};
