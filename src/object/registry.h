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
    // A caller that goes on from the result sees every object that lives throughout.
    static Ref<Object> next(ObjectId after, ObjectType type);

    static uint64_t count();
    static uint32_t count_of(ObjectType type);

  private:
    struct Shard;
};
