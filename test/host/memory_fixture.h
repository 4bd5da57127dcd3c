// An address space that a test plays with: hart 0 runs in it, and its budget is its own.
#pragma once

#include <doctest/doctest.h>

#include "hosted/kernel.h"
#include "hosted/machine.h"
#include "memory/address_space.h"

namespace memory_test {

using arch::Access;

inline constexpr Protection kNone{};
inline constexpr Protection kRead{.read = true};
inline constexpr Protection kWrite{.write = true};
inline constexpr Protection kData{.read = true, .write = true};
inline constexpr Protection kCode{.execute = true};
inline constexpr Protection kReadCode{.read = true, .execute = true};
inline constexpr Protection kAll{.read = true, .write = true, .execute = true};
inline constexpr VirtualAddress kBase{0x4000'0000};
inline constexpr uint64_t kMiB = uint64_t{1} << 20;

constexpr VirtualAddress page(uint64_t number) { return kBase + number * kPageSize; }

struct Fixture {
    explicit Fixture(uint64_t bytes = uint64_t{32} << 20) {
        Budget& root = hosted::kernel();
        hosted::settle();
        budget = Budget::create(root, bytes, root).take();
        space = AddressSpace::create(*budget).take();
        memory = MemoryObject::create(*budget, uint64_t{1} << 30).take();
        hosted::run_in(space.get());
    }
    ~Fixture() {
        hosted::on_preemption_point = nullptr;
        CHECK(hosted::tlbs_agree(space->page_table()));
        for (uint32_t i = 0; i < hosted::kHarts; ++i) {
            hosted::enter_hart({i});
            hosted::run_in(nullptr);
        }
        space = nullptr;
        memory = nullptr;
        hosted::settle();
        CHECK(budget->used() == 0);
    }

    Status map(VirtualAddress at, uint64_t pages, Protection protection, Protection ceiling,
               uint64_t first_page = 0) {
        const auto mapped =
            space->map(*memory, first_page * kPageSize, at, pages * kPageSize, protection, ceiling);
        if (!mapped.ok()) return Fail(mapped.error());
        CHECK(mapped.value() == at);
        return {};
    }
    Status unmap(VirtualAddress at, uint64_t pages) { return space->unmap(at, pages * kPageSize); }
    Status protect(VirtualAddress at, uint64_t pages, Protection protection) {
        return space->protect(at, pages * kPageSize, protection);
    }
    bool can(Access access, VirtualAddress at) {
        uint8_t byte = 1;
        return hosted::user_access(at, access, &byte, 1);
    }
    bool readable(VirtualAddress at) { return can(Access::kRead, at); }
    bool writable(VirtualAddress at) { return can(Access::kWrite, at); }
    bool executable(VirtualAddress at) { return can(Access::kExecute, at); }

    Ref<Budget> budget;
    Ref<AddressSpace> space;
    Ref<MemoryObject> memory;
};

}  // namespace memory_test
