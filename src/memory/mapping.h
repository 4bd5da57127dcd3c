// Mapping: a piece of a view that is mapped and has one protection. A record; what is said in it
// enters the page table page by page as pages are touched. Guarded by the lock of the address space
// it is in.
#pragma once

#include <algorithm>

#include "arch/paging.h"
#include "base/tree.h"
#include "memory/memory_object.h"
#include "memory/protection.h"
#include "memory/view.h"

struct Mapping {
    TreeNode node;
    VirtualAddress start{};
    uint64_t length = 0;
    Ref<View> view;
    Protection protection;
    // Outside these two, no page was ever entered into the page table: large ranges of which little
    // is used are changed at little cost.
    VirtualAddress touched_begin{UINT64_MAX};
    VirtualAddress touched_end{};

    VirtualAddress end() const { return start + length; }
    MemoryObject& memory() const { return view->memory(); }
    // What user mode may do with its pages. The hardware knows no memory that can be written and
    // not read.
    arch::PageFlags flags() const {
        return {.read = protection.read || protection.write,
                .write = protection.write,
                .execute = protection.execute,
                .device = memory().is_device()};
    }
    // `address` lies in the mapping.
    uint64_t offset_of(VirtualAddress address) const { return view->offset_of(address); }
    void touch(VirtualAddress page) {
        touched_begin = std::min(touched_begin, page);
        touched_end = std::max(touched_end, page + kPageSize);
    }

    struct StartOf {
        uint64_t operator()(const Mapping& mapping) const { return mapping.start.value; }
    };
};
