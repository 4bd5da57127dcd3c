// The accounts of the whole system: what budgets were charged is what is allocated, to the byte.
// Every case of every program ends with that comparison (leaks.h); here are the numbers themselves.
#include "harness.h"
#include "messages.h"
#include "roles.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint64_t kMiB = 1 << 20;

kairos_info_accounts accounts() {
    return info_of<kairos_info_accounts>(kairos_bootstrap(KAIROS_BOOT_RESOURCE),
                                         KAIROS_INFO_ACCOUNTS);
}

// When nobody takes anything down any more.
kairos_info_accounts settled_accounts() {
    harness::Holdings::settled();
    const kairos_info_accounts found = accounts();
    EXPECT_EQ(found.charged, found.allocated);
    EXPECT_EQ(1u, found.sound);
    return found;
}

char large[3 * kPage];

}  // namespace

TEST("accounts: need the right to read the system") {
    char room[256];
    const Owned event = make_event();
    const Owned blind = without(kairos_bootstrap(KAIROS_BOOT_RESOURCE), KRIGHT_READ);
    EXPECT_STATUS(-ENOTSUP, kairos_object_info(event, KAIROS_INFO_ACCOUNTS, room, sizeof(room)));
    EXPECT_STATUS(-EACCES, kairos_object_info(blind, KAIROS_INFO_ACCOUNTS, room, sizeof(room)));
    EXPECT_STATUS(-EMSGSIZE, kairos_object_info(kairos_bootstrap(KAIROS_BOOT_RESOURCE),
                                                KAIROS_INFO_ACCOUNTS, room, 8));
}

TEST("accounts: a budget is an amount, not memory") {
    const kairos_info_accounts before = settled_accounts();
    Owned outer;
    Owned inner;
    REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, 8 * kMiB, outer.out()));
    REQUIRE_STATUS(0, kairos_budget_create(outer, 4 * kMiB, inner.out()));
    const kairos_info_accounts with_both = settled_accounts();
    EXPECT_EQ(before.budgets + 2, with_both.budgets);
    EXPECT(with_both.charged > before.charged);
    EXPECT(with_both.charged - before.charged < 2 * kPage);
}

TEST("accounts: pages count when they are touched, and for each clone that shows them") {
    Owned memory;
    REQUIRE_STATUS(0, kairos_memory_create(kMiB, 0, memory.out()));
    const kairos_info_accounts before = settled_accounts();
    for (uint64_t at = 0; at < 10 * kPage; at += kPage) {
        REQUIRE_STATUS(0, kairos_memory_write(memory, at, "x", 1));
    }
    const kairos_info_accounts touched = settled_accounts();
    EXPECT_EQ(before.charged + 11 * kPage, touched.charged);  // and the table of the object's pages
    EXPECT_EQ(before.shared, touched.shared);
    Owned clone;
    REQUIRE_STATUS(0, kairos_memory_clone(memory, 0, kMiB, 0, clone.out()));
    EXPECT_EQ(before.shared + 10 * kPage, settled_accounts().shared);
    REQUIRE_STATUS(0, kairos_memory_write(clone, kPage, "y", 1));
    EXPECT_EQ(before.shared + 9 * kPage, settled_accounts().shared);
    memory.close();
    EXPECT_EQ(before.shared, settled_accounts().shared);
}

TEST("accounts: a channel with one end left, messages and threads") {
    const kairos_info_accounts before = settled_accounts();
    {
        Channel channel;
        kairos_handle_t event = make_event().release();
        const kairos_channel_msg message = message_of(large, sizeof(large), &event, 1);
        REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, KAIROS_TIME_INFINITE));
        EXPECT(settled_accounts().charged >= before.charged + sizeof(large));
        channel.a.close();
        EXPECT(settled_accounts().charged >= before.charged + sizeof(large));
        channel.b.close();
    }
    const kairos_info_accounts after = settled_accounts();
    EXPECT(after.charged < before.charged + 2 * kPage);
}
