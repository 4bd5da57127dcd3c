// The hosted machine's own contexts: they go on where they were switched away from.
#include <doctest/doctest.h>

#include <vector>

#include "arch/context.h"
#include "hosted/kernel.h"
#include "hosted/machine.h"
#include "sync/hart.h"

namespace {

struct Runner {
    arch::ThreadContext context;
    arch::ThreadContext* back = nullptr;
    int number = 0;
    std::vector<int>* order = nullptr;
};

void run(void* argument) {
    auto& runner = *static_cast<Runner*>(argument);
    for (int turn = 0;; ++turn) {
        runner.order->push_back(10 * runner.number + turn);
        arch::switch_context(runner.context, *runner.back);
    }
}

Runner* user_runner = nullptr;
void user_program(uint64_t a0, uint64_t a1) {
    user_runner->order->push_back(static_cast<int>(a0 + a1));
    arch::switch_context(user_runner->context, *user_runner->back);
}

}  // namespace

TEST_CASE("hosted contexts: each keeps its place") {
    hosted::kernel();
    std::vector<int> order;
    arch::ThreadContext own;
    Runner runners[3];
    for (int i = 0; i < 3; ++i) {
        runners[i].back = &own;
        runners[i].number = i;
        runners[i].order = &order;
        arch::prepare_kernel_context(runners[i].context, nullptr, run, &runners[i]);
    }
    for (int turn = 0; turn < 3; ++turn) {
        for (Runner& runner : runners) arch::switch_context(own, runner.context);
    }
    CHECK(order == std::vector<int>{0, 10, 20, 1, 11, 21, 2, 12, 22});
}

TEST_CASE("hosted contexts: a user context runs in its address space") {
    Budget& root = hosted::kernel();
    const Ref<AddressSpace> space = AddressSpace::create(root).take();
    std::vector<int> order;
    arch::ThreadContext own;
    Runner runner;
    runner.back = &own;
    runner.order = &order;
    user_runner = &runner;
    const VirtualAddress program{reinterpret_cast<uint64_t>(user_program)};
    arch::prepare_user_context(
        runner.context, nullptr, space->page_table(),
        [](void* argument) {
            static_cast<Runner*>(argument)->order->push_back(1);
            CHECK(this_hart().block.satp != 0);
        },
        &runner, program, {}, 40, 2);
    arch::switch_context(own, runner.context);
    CHECK(order == std::vector<int>{1, 42});
    CHECK(this_hart().block.satp == 0);
    CHECK(space->page_table().harts().load() == this_hart().block.bit);
}
