// Mapping: a range of an address space that shows part of a memory object. Guarded by the address
// space's lock.
#pragma once

#include "base/tree.h"
#include "memory/memory_object.h"
#include "memory/protection.h"

struct Mapping {
    TreeNode node;
    VirtualAddress start{};
    uint64_t length = 0;
    Ref<MemoryObject> memory;
    uint64_t offset = 0;  // of `start` in the object
    Protection protection;
    Protection ceiling;  // never to be exceeded: the rights of the handle it was made with

    VirtualAddress end() const { return start + length; }
    struct StartOf {
        uint64_t operator()(const Mapping& mapping) const { return mapping.start.value; }
    };
};
