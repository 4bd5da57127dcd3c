// The hosted kernel itself: programs run, sleep, are woken and end on three harts.
#include <doctest/doctest.h>

#include <array>

#include "hosted/machine.h"
#include "hosted/program.h"
#include "object/registry.h"

using namespace hosted;

TEST_CASE("scheduled harts: programs send to each other and end, and nothing is left") {
    Budget& root = scheduled_kernel();
    run_to_quiet();
    const uint64_t objects = ObjectRegistry::count();
    const uint64_t used = root.used();
    {
        Program program(root);
        auto& ends = program.make<std::array<HandleValue, 2>>();
        CHECK(program.call(Call::channel_create, 0, program.address(&ends[0]),
                           program.address(&ends[1])) == 0);
        auto& sent = program.make<kairos_channel_msg>();
        auto& received = program.make<kairos_channel_msg>();
        auto& payload = program.make<uint64_t>();
        auto& arrived = program.make<uint64_t>();
        payload = 42;
        sent.bytes = reinterpret_cast<void*>(program.address(&payload));
        sent.num_bytes = 8;
        received.bytes = reinterpret_cast<void*>(program.address(&arrived));
        received.num_bytes = 8;
        int64_t result[2] = {-1, -1};
        const auto& receiver = program.start({0}, [&] {
            result[0] = sys(Call::channel_recv, ends[1], program.address(&received), 0, UINT64_MAX);
        });
        InTurn in_turn;
        CHECK(run_harts(in_turn) == RunEnd::kQuiet);
        CHECK_FALSE(receiver.done);
        CHECK(receiver.thread->state() == ThreadState::kBlocked);
        const auto& sender = program.start({1}, [&] {
            result[1] = sys(Call::channel_send, ends[0], program.address(&sent), 0, UINT64_MAX);
        });
        CHECK(run_harts(in_turn) == RunEnd::kQuiet);
        CHECK(receiver.done);
        CHECK(sender.done);
        CHECK(result[0] == 1);
        CHECK(result[1] == 0);
        CHECK(arrived == 42);
    }
    CHECK(ObjectRegistry::count() == objects);
    CHECK(root.used() == used);
}
