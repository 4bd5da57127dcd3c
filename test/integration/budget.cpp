// Budgets: carving, charging, exhaustion, and that all comes back.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "roles.h"
#include "tiny.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint64_t kMiB = 1 << 20;

kairos_info_budget numbers(kairos_handle_t handle) {
    return info_of<kairos_info_budget>(handle, KAIROS_INFO_BUDGET);
}

Owned make_budget(uint64_t bytes, kairos_handle_t parent = KAIROS_HANDLE_INVALID) {
    Owned budget;
    REQUIRE_STATUS(0, kairos_budget_create(parent, bytes, budget.out()));
    return budget;
}

// Until what ended processes held has come back to a budget.
void wait_until_unused(kairos_handle_t budget) {
    const harness::Patience patience;
    while (numbers(budget).used != 0 && patience.wait()) {}
    EXPECT_EQ(0u, numbers(budget).used);
}

}  // namespace

TEST("create: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    const Owned event = make_event();
    const Owned budget = make_budget(kMiB);
    const Owned mute = without(budget, KRIGHT_WRITE);
    const kairos_handle_t closed = closed_handle();
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EINVAL, kairos_budget_create(closed, 0, kernel));
    EXPECT_STATUS(-EFAULT, kairos_budget_create(closed, kPage, kernel));
    EXPECT_STATUS(-EBADF, kairos_budget_create(closed, kPage, &out));
    EXPECT_STATUS(-ENOTSUP, kairos_budget_create(event, kPage, &out));
    EXPECT_STATUS(-EACCES, kairos_budget_create(mute, kPage, &out));
    EXPECT_STATUS(-EDQUOT, kairos_budget_create(budget, kMiB + 1, &out));
    EXPECT_STATUS(-EDQUOT, kairos_budget_create(budget, UINT64_MAX, &out));
    EXPECT_STATUS(-EDQUOT, kairos_budget_create(0, UINT64_MAX, &out));
    EXPECT_EQ(77u, out);
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_budget_create(budget, kPage, out));
    wait_until_unused(budget);
}

TEST("carved out of the parent's, and the parent's again when it is gone") {
    const Owned outer = make_budget(kMiB);
    EXPECT_EQ(kMiB, numbers(outer).limit);
    EXPECT_EQ(0u, numbers(outer).used);
    Owned half = make_budget(kMiB / 2, outer);
    EXPECT_EQ(kMiB / 2, numbers(half).limit);
    // The object itself may be charged, too.
    const uint64_t with_half = numbers(outer).used;
    EXPECT(with_half >= kMiB / 2 && with_half < kMiB / 2 + kPage);
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EDQUOT, kairos_budget_create(outer, kMiB / 2 + 1, &out));
    Owned quarter = make_budget(kMiB / 4, half);
    EXPECT(numbers(half).used >= kMiB / 4);
    EXPECT_EQ(with_half, numbers(outer).used);
    // A child keeps its parent.
    half.close();
    EXPECT(numbers(outer).used >= kMiB / 2);
    quarter.close();
    wait_until_unused(outer);
    EXPECT(numbers(outer).peak >= kMiB / 2);
    const Owned almost_all = make_budget(kMiB - kPage, outer);
    EXPECT(numbers(outer).used >= kMiB - kPage);
}

TEST("of a process: the one it is charged to") {
    const Owned budget = make_budget(kMiB);
    const TinyProcess tiny(budget);
    const kairos_info_budget info = numbers(tiny.process);
    EXPECT_EQ(kMiB, info.limit);
    EXPECT(info.used > 0);
    EXPECT_EQ(info.used, numbers(budget).used);
    EXPECT(info.peak >= info.used);
}

TEST("process_create: the budget's errors") {
    const Owned event = make_event();
    const Owned budget = make_budget(kMiB);
    const Owned mute = without(budget, KRIGHT_WRITE);
    kairos_handle_t process = 77;
    kairos_handle_t space = 78;
    EXPECT_STATUS(-EBADF, kairos_process_create("p", closed_handle(), &process, &space));
    EXPECT_STATUS(-ENOTSUP, kairos_process_create("p", event, &process, &space));
    EXPECT_STATUS(-EACCES, kairos_process_create("p", mute, &process, &space));
    const Owned tiny = make_budget(64);
    EXPECT_STATUS(-EDQUOT, kairos_process_create("p", tiny, &process, &space));
    EXPECT_EQ(0u, numbers(tiny).used);
    EXPECT_EQ(77u, process);
}

TEST("what a process had comes back to its budget") {
    const Owned budget = make_budget(kMiB);
    {
        Channel channel;
        TinyProcess tiny(budget);
        tiny.set_code(tiny_exit, tiny_exit_end);
        tiny.start(std::move(channel.b));
        EXPECT_EQ(0, tiny.exit_code());
    }
    wait_until_unused(budget);
}

TEST("one call after the other until the budget is exhausted") {
    // Each makes something that stays; a tiny process makes it until it cannot.
    struct Item {
        const char* what;
        uint64_t number;
        uint64_t a0, a1, a2;
    };
    const Item items[] = {
        {"events", KAIROS_SYS_event_create, kTinyRoom, 0, 0},
        {"ports", KAIROS_SYS_port_create, 0, kTinyRoom, 0},
        {"channels", KAIROS_SYS_channel_create, 0, kTinyRoom, kTinyRoom + 8},
        {"timers", KAIROS_SYS_timer_create, kTinyRoom, 0, 0},
        {"memory objects", KAIROS_SYS_memory_create, kPage, 0, kTinyRoom},
    };
    for (const Item& item : items) {
        const Owned budget = make_budget(kMiB / 2);
        {
            TinyProcess tiny(budget);
            TinyData data = tiny.data();
            data.arguments[0] = item.a0;
            data.arguments[1] = item.a1;
            data.arguments[2] = item.a2;
            data.number = item.number;
            tiny.set_data(data);
            tiny.set_code(tiny_repeat, tiny_repeat_end);
            tiny.start();
            EXPECT_EQ(kTinyExitCode, tiny.exit_code());
            // The table has room for 4096 handles; half a megabyte does not last that long, except
            // for the smallest objects.
            if (!EXPECT_ONE_OF(ANY(-EDQUOT, -EMFILE), tiny.data().result)) {
                harness::print("    it was about %s", item.what);
            }
        }
        wait_until_unused(budget);
    }
}

TEST("others are not affected") {
    const Owned budget = make_budget(kMiB / 2);
    TinyProcess tiny(budget);
    TinyData data = tiny.data();
    data.arguments[1] = kTinyRoom;
    data.number = KAIROS_SYS_port_create;
    tiny.set_data(data);
    tiny.set_code(tiny_repeat, tiny_repeat_end);
    tiny.start();
    for (int i = 0; i < 50; ++i) {
        const Channel channel;
        EXPECT_STATUS(0, send_text(channel.a, "works"));
    }
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
}

ROLE("does nothing") { return 0; }

TEST("spawn into a budget that is too small leaves nothing behind") {
    // From far too little to enough: every time the same answer, and never a child that dies for
    // want of memory before its main.
    bool was_enough = false;
    for (uint64_t pages = 0; pages < 96; pages += 2) {
        const Owned budget = make_budget(64 + pages * kPage);
        for (int again = 0; again < 2; ++again) {
            Owned event = make_event();
            const kairos_spawn_handle give = {KAIROS_BOOT_USER0, event};
            const uint32_t before = own_handles();
            kairos_handle_t value = 77;
            const kairos_status_t status = try_spawn_role("does nothing", &give, 1, &value, budget);
            if (status == 0) {
                const Owned process(value);
                EXPECT_EQ(0, exit_code_of(process));
                EXPECT(!is_valid(event));
                static_cast<void>(event.release());
                was_enough = true;
            } else {
                EXPECT(!was_enough);
                EXPECT_STATUS(-EDQUOT, status);
                EXPECT_EQ(77u, value);
                EXPECT_EQ(before, own_handles());
                EXPECT(is_valid(event));
            }
            wait_until_unused(budget);
        }
    }
    EXPECT(was_enough);
}

TEST("memory made in another's budget: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    const Owned event = make_event();
    const Owned budget = make_budget(kMiB);
    const Owned mute = without(budget, KRIGHT_WRITE);
    const kairos_handle_t closed = closed_handle();
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EINVAL, kairos_memory_create_in(closed, 0, 0, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_create_in(closed, kPage, 1u << 31, kernel));
    EXPECT_STATUS(-EFAULT, kairos_memory_create_in(closed, kPage, 0, kernel));
    EXPECT_STATUS(-EBADF, kairos_memory_create_in(closed, kPage, 0, &out));
    EXPECT_STATUS(-ENOTSUP, kairos_memory_create_in(event, kPage, 0, &out));
    EXPECT_STATUS(-EACCES, kairos_memory_create_in(mute, kPage, 0, &out));
    EXPECT_EQ(77u, out);
}

TEST("memory made in another's budget is charged there") {
    const Owned budget = make_budget(8 * kPage);
    const uint64_t own = numbers(kairos_self_process()).used;
    Owned memory;
    REQUIRE_STATUS(0, kairos_memory_create_in(budget, 64 * kPage, 0, memory.out()));
    const char byte = 1;
    uint64_t written = 0;
    kairos_status_t status = 0;
    for (; written < 64; ++written) {
        status = kairos_memory_write(memory, written * kPage, &byte, 1);
        if (status < 0) break;
    }
    EXPECT_STATUS(-EDQUOT, status);
    EXPECT(written >= 4 && written <= 8);
    EXPECT(numbers(budget).used > 7 * kPage);
    // The handle is all that the caller pays.
    EXPECT(numbers(kairos_self_process()).used < own + kPage);
    memory.close();
    wait_until_unused(budget);
}

ROLE("touches pages until it may not") {
    // Memory is charged as it is touched: by the kernel's copy there is an error to be had.
    kairos_handle_t memory = KAIROS_HANDLE_INVALID;
    if (kairos_memory_create(64 * kMiB, 0, &memory) != 0) return 2;
    const char byte = 1;
    for (uint64_t offset = 0; offset < 64 * kMiB; offset += kPage) {
        const kairos_status_t status = kairos_memory_write(memory, offset, &byte, 1);
        if (status == -EDQUOT) return offset > 0 ? 0 : 3;
        if (status != 0) return 4;
    }
    return 5;
}

TEST("user pages are charged as they are touched") {
    const Owned budget = make_budget(4 * kMiB);
    {
        const Owned process = spawn_role("touches pages until it may not", {}, budget);
        EXPECT_EQ(0, exit_code_of(process));
        EXPECT(numbers(budget).peak > 3 * kMiB);
        EXPECT(numbers(budget).peak <= 4 * kMiB);
    }
    wait_until_unused(budget);
}

ROLE("parks messages until it may not") {
    static char payload[KCHANNEL_MAX_MSG_BYTES];
    const kairos_channel_msg message = message_of(payload, sizeof(payload));
    for (int channels = 0; channels < 64; ++channels) {
        kairos_handle_t near;
        kairos_handle_t far;
        const kairos_status_t made = kairos_channel_create(0, &near, &far);
        if (made == -EDQUOT) return 0;
        if (made != 0) return 2;
        while (true) {
            const kairos_status_t sent =
                kairos_channel_send(near, &message, KCHANNEL_OPT_NONBLOCK, kForever);
            if (sent == -EDQUOT) return queued_in(far) > 0 ? 0 : 3;
            if (sent == -EAGAIN) break;
            if (sent != 0) return 4;
        }
    }
    return 5;
}

TEST("queued messages are charged to their sender, and given back") {
    const Owned budget = make_budget(4 * kMiB);
    {
        const Owned process = spawn_role("parks messages until it may not", {}, budget);
        EXPECT_EQ(0, exit_code_of(process));
    }
    wait_until_unused(budget);
}

TEST("a message that outlives its sender is given back when it is received") {
    const Owned budget = make_budget(4 * kMiB);
    Channel channel;
    {
        const Owned process =
            spawn_role("sends a large message", {{KAIROS_BOOT_USER0, channel.b.release()}}, budget);
        EXPECT_EQ(0, exit_code_of(process));
    }
    static char room[KCHANNEL_MAX_MSG_BYTES];
    kairos_channel_msg message = message_of(room, sizeof(room));
    EXPECT_STATUS(1, kairos_channel_recv(channel.a, &message, 0, kForever));
    wait_until_unused(budget);
}

ROLE("sends a large message") {
    static char payload[KCHANNEL_MAX_MSG_BYTES];
    const kairos_channel_msg message = message_of(payload, sizeof(payload));
    return kairos_channel_send(kairos_bootstrap(KAIROS_BOOT_USER0), &message, 0, kForever) == 0 ? 0
                                                                                                : 2;
}
