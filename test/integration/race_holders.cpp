// Lists of holders and of handles beside those who change what they show: each is whole, and none
// disturbs anybody.
#include <atomic>

#include "fds.h"
#include "harness.h"
#include "holder_list.h"
#include "messages.h"
#include "metronome.h"
#include "roles.h"
#include "workers.h"

TEST("lists are read while others duplicate, send, bridge and close") {
    constexpr int kRounds = 300;
    const Channel travels;
    const Channel channel;
    std::atomic<int> busy{2};
    const auto churn = [&] {
        for (int i = 0; i < kRounds; ++i) {
            Owned top = duplicate(travels.a);
            Owned low = duplicate(top);
            const Owned lowest = duplicate(low);
            const Fd fd = bridge(low);
            const Fd copy(kairos_fd_dup(fd, 0, 0));
            EXPECT_STATUS(0, send_handle(channel.a, low));
            top.close();
            Inbox inbox;
            EXPECT_STATUS(1, inbox.poll(channel.b));
            if (i % 3 == 0) EXPECT_STATUS(0, kairos_handle_revoke(inbox.received[0]));
        }
        --busy;
    };
    {
        Worker one(churn);
        Worker two(churn);
        const uint64_t id = id_of(travels.a);
        while (busy != 0) {
            // At least the one that nobody closes; what comes and goes is at most five each.
            const List holders = holders_of(id);
            EXPECT(holders.count >= 1);
            for (uint32_t i = 0; i < holders.count; ++i) {
                EXPECT_EQ(id, holders.lines[i].object_id);
                EXPECT(holders.lines[i].place <= KAIROS_PLACE_DESCRIPTOR);
            }
            EXPECT(handles_of(own_id()).of_cap(lineage_of(travels.a).cap_id) != nullptr);
            const List lines = holders_of(id, 2);
            EXPECT(lines.count >= 1);
        }
    }
    const List settled = holders_of(travels.a);
    EXPECT_EQ(1u, settled.count);
    EXPECT_EQ(lineage_of(travels.a).cap_id, settled.lines[0].cap_id);
}

TEST("a handle that is closed while it is revoked: the tree stays whole") {
    const Owned top = make_event();
    for (int i = 0; i < 500; ++i) {
        const Owned middle = duplicate(top);
        kairos_handle_t low = duplicate(middle).release();
        std::atomic<int> ready{0};
        const auto meet = [&] {
            ++ready;
            while (ready != 2) kairos_yield();
        };
        {
            Worker closer([&] {
                meet();
                EXPECT_ONE_OF(ANY(0, -EBADF), kairos_handle_close(low, 0));
            });
            meet();
            EXPECT_STATUS(0, kairos_handle_revoke(middle));
        }
        const List list = holders_of(top);
        REQUIRE_EQ(2u, list.count);
        EXPECT_EQ(lineage_of(top).cap_id, list.lines[1].parent_id);
    }
}

ROLE("makes handles until it is killed") {
    while (true) {
        const Owned event = make_event();
        const Owned copies[] = {duplicate(event), duplicate(event), duplicate(event)};
    }
}

TEST("lists are read while the process ends") {
    for (int i = 0; i < 10; ++i) {
        const Owned event = make_event();
        const Owned process = spawn_role("makes handles until it is killed",
                                         {{KAIROS_BOOT_USER0, duplicate(event).release()}});
        const uint64_t id = id_of(process);
        EXPECT(handles_of(id).count >= 1);
        REQUIRE_STATUS(0, kairos_process_kill(process, 3));
        while (process_info(process).state != KAIROS_PROCESS_ENDED) {
            EXPECT(handles_of(id).count < List::kMost);
            EXPECT(holders_of(event).count >= 1);
        }
        EXPECT_EQ(0u, handles_of(id).count);
        EXPECT_EQ(1u, holders_of(event).count);
    }
}

TEST("a list of four thousand holders, half of them closed: periods are kept meanwhile") {
    // Each closed one has two children, the next one and a handle that stays.
    constexpr int kChain = 1900;
    static Owned leaves[kChain];
    static Entry lines[2 * kChain];
    const Owned top = make_event();
    const uint64_t id = id_of(top);
    Owned last = duplicate(top);
    for (Owned& leaf : leaves) {
        leaf = duplicate(last);
        last = duplicate(last);
    }
    {
        const Metronome metronome;
        EXPECT_STATUS(kChain + 2, kairos_system_holders(root(), id, 0, lines, 2 * kChain));
        for (int i = 1; i < kChain + 2; ++i) {
            EXPECT_EQ(lines[0].cap_id, lines[i].parent_id);
            EXPECT_EQ(1u, lines[i].depth);
        }
        metronome.hear_of_all();
    }
    for (Owned& leaf : leaves) leaf.close();
}
