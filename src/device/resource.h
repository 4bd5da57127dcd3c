// Resource: authority over a part of the machine, as an object: a range of device memory or
// interrupt lines, the system's state, or all of it (the first program's).
#pragma once

#include "object/object_storage.h"

enum class ResourceKind : uint32_t {
    kRoot = KRESOURCE_ROOT,
    kMmio = KRESOURCE_MMIO,
    kInterrupt = KRESOURCE_INTERRUPT,
    kSystem = KRESOURCE_SYSTEM,
};

struct ResourceRange {
    ResourceKind kind = ResourceKind::kRoot;
    uint64_t base = 0;  // of kMmio and kInterrupt
    uint64_t size = 0;

    // Whether whoever holds this may do what `wanted` allows.
    constexpr bool covers(const ResourceRange& wanted) const {
        if (kind == ResourceKind::kRoot) return true;
        if (kind != wanted.kind) return false;
        if (kind == ResourceKind::kSystem) return true;
        return wanted.base >= base && wanted.size <= size &&
               wanted.base - base <= size - wanted.size;
    }
};

class Resource final : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kResource;
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_MANAGE};

    // -EDQUOT, -ENOMEM.
    static Result<Ref<Resource>> create(Budget& budget, ResourceRange range) {
        return ObjectStorage<Resource>::create(budget, range);
    }

    const ResourceRange& range() const { return range_; }

  private:
    template <typename T>
    friend class ObjectStorage;

    explicit Resource(ResourceRange range) : Object(kType, nullptr), range_(range) {}
    void free_memory() override { ObjectStorage<Resource>::free(*this); }

    const ResourceRange range_;
};
