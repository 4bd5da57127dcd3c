// Mapping: a range of an address space that shows part of a memory object. A record; what is said
// in it enters the page table page by page as pages are touched. Guarded by the lock of the address
// space it is in.
#pragma once

#include <algorithm>

#include "base/tree.h"
#include "memory/memory_object.h"
#include "memory/protection.h"

// The handle that a mapping was made through, by the number of its node in the delegation tree
// (Cap::id), so that revoking the handle can find the mapping.
enum class MappedThrough : uint64_t { kKernel = 0 };

struct Mapping {
    TreeNode node;
    VirtualAddress start{};
    uint64_t length = 0;
    Ref<MemoryObject> memory;
    uint64_t offset = 0;  // of `start` in the object
    Protection protection;
    Protection ceiling;  // never to be exceeded: the rights of the handle it was made with
    MappedThrough through = MappedThrough::kKernel;
    // Outside these two, no page was ever entered into the page table: large ranges of which little
    // is used are changed at little cost.
    VirtualAddress touched_begin{UINT64_MAX};
    VirtualAddress touched_end{};

    VirtualAddress end() const { return start + length; }
    // `address` lies in the mapping.
    uint64_t offset_of(VirtualAddress address) const { return offset + (address - start); }
    void touch(VirtualAddress page) {
        touched_begin = std::min(touched_begin, page);
        touched_end = std::max(touched_end, page + kPageSize);
    }

    struct StartOf {
        uint64_t operator()(const Mapping& mapping) const { return mapping.start.value; }
    };
};
