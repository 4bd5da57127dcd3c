// Kernel stacks: their slots, their guard pages, and the pool.
#include "mm/kernel_stack.h"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <vector>

#include "arch/paging.h"
#include "hosted/kernel.h"
#include "mm/frames.h"

using mm::KernelStack;

namespace {
VirtualAddress below_top(const KernelStack& stack, uint64_t bytes) {
    return {reinterpret_cast<uint64_t>(stack.top()) - bytes};
}
}  // namespace

TEST_CASE("kernel stack: all of it can be used, and the page below is its guard") {
    hosted::kernel();
    const KernelStack first = KernelStack::allocate().take();
    const KernelStack second = KernelStack::allocate().take();
    CHECK(first.top() != second.top());
    for (const KernelStack* stack : {&first, &second}) {
        std::memset(static_cast<char*>(stack->top()) - KernelStack::kBytes, 1, KernelStack::kBytes);
        CHECK(KernelStack::guarded_by(below_top(*stack, 1)) == nullptr);
        CHECK(KernelStack::guarded_by(below_top(*stack, KernelStack::kBytes)) == nullptr);
        CHECK(KernelStack::guarded_by(below_top(*stack, KernelStack::kBytes + 1)) == stack->top());
        CHECK(KernelStack::guarded_by(below_top(*stack, KernelStack::kBytes + kPageSize)) ==
              stack->top());
    }
    CHECK(KernelStack::guarded_by({0}) == nullptr);
    CHECK(KernelStack::guarded_by({arch::kernel_stack_region().value - 1}) == nullptr);
    CHECK(KernelStack::guarded_by(arch::kernel_stack_region() + arch::kernel_stack_region_size()) ==
          nullptr);
}

TEST_CASE("kernel stack: the pool is bounded, the rest of the memory goes back") {
    hosted::kernel();
    constexpr uint64_t kFrames = KernelStack::kBytes / kPageSize;
    constexpr uint32_t kMany = 500;
    const auto allocate_many = [] {
        std::vector<KernelStack> stacks;
        std::set<void*> tops;
        for (uint32_t i = 0; i < kMany; ++i) {
            stacks.push_back(KernelStack::allocate().take());
            REQUIRE(tops.insert(stacks.back().top()).second);
        }
    };
    allocate_many();  // now the pool is full, and the region has its tables
    const uint64_t before = mm::free_frames_count();
    allocate_many();
    CHECK(mm::free_frames_count() == before);

    std::vector<KernelStack> stacks;
    while (mm::free_frames_count() == before) {  // from the pool
        stacks.push_back(KernelStack::allocate().take());
    }
    CHECK(stacks.size() > KernelStack::kMaxPooled / 2);
    CHECK(stacks.size() <= KernelStack::kMaxPooled);
    CHECK(mm::free_frames_count() == before - kFrames);
}

TEST_CASE("kernel stack: without memory there is none, and nothing is lost") {
    hosted::kernel();
    std::vector<KernelStack> pooled;
    for (uint32_t i = 0; i < KernelStack::kMaxPooled; ++i) {
        pooled.push_back(KernelStack::allocate().take());
    }
    const uint64_t before = mm::free_frames_count();
    std::vector<PhysicalAddress> frames;
    while (mm::free_frames_count() > KernelStack::kBytes / kPageSize - 1) {
        const auto frame = mm::allocate_frame();
        if (!frame.ok()) break;  // the rest lies in other harts' caches
        frames.push_back(frame.value());
    }
    while (auto frame = mm::allocate_frame()) frames.push_back(*frame);
    for (uint64_t i = 0; i + 1 < KernelStack::kBytes / kPageSize; ++i) {
        mm::free_frame(frames.back());
        frames.pop_back();
    }
    // More often than there are slots, of which none may be lost.
    const uint64_t tries = arch::kernel_stack_region_size() / KernelStack::kBytes;
    for (uint64_t i = 0; i < tries; ++i) {
        REQUIRE(KernelStack::allocate().error() == Error::NOMEM);
    }
    for (const PhysicalAddress frame : frames) mm::free_frame(frame);
    CHECK(mm::free_frames_count() == before);
    CHECK(KernelStack::allocate().ok());
}
