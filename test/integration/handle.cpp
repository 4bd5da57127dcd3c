// Handles: closing, duplicating, rights, generations, and a table that is full. What derives from
// what is tested in lineage.cpp.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "roles.h"

namespace {

constexpr kairos_rights_t kChannelRights =
    KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER | KRIGHT_DUPLICATE | KRIGHT_WAIT | KRIGHT_SIGNAL;
constexpr uint32_t kUndefinedRight = 1u << 9;

// Values that were never handed out.
constexpr kairos_handle_t kNoHandles[] = {KAIROS_HANDLE_INVALID, 1, 0xffffffff, 0x80000000,
                                          0xfffff000};

}  // namespace

// ---- Close
// ---------------------------------------------------------------------------------------

TEST("close: errors in their order") {
    const kairos_handle_t closed = closed_handle();
    EXPECT_STATUS(-EINVAL, kairos_handle_close(closed, 2));
    EXPECT_STATUS(-EINVAL, kairos_handle_close(closed, ~0u));
    EXPECT_STATUS(-EINVAL, kairos_handle_close(closed, ~0u & ~1u));
    EXPECT_STATUS(-EBADF, kairos_handle_close(closed, 0));
    EXPECT_STATUS(-EBADF, kairos_handle_close(closed, KHANDLE_CLOSE_F_REVOKE_DESCENDANTS));
    const Owned event = make_event();
    EXPECT_STATUS(-EINVAL, kairos_handle_close(event, 2));
    EXPECT(is_valid(event));
}

TEST("close: what is no handle") {
    for (const kairos_handle_t handle : kNoHandles) {
        EXPECT_STATUS(-EBADF, kairos_handle_close(handle, 0));
        EXPECT_STATUS(-EBADF, kairos_handle_revoke(handle));
        kairos_handle_t out = 77;
        EXPECT_STATUS(-EBADF, kairos_handle_duplicate(handle, KRIGHT_SAME, &out));
        EXPECT_EQ(77u, out);
        kairos_rights_t rights = 77;
        EXPECT_STATUS(-EBADF, kairos_cap_rights_get(handle, &rights));
        EXPECT_EQ(77u, rights);
        EXPECT_STATUS(-EBADF, kairos_cap_rights_limit(handle, KRIGHT_SAME));
    }
}

TEST("close: twice") {
    Owned event = make_event();
    const kairos_handle_t value = event.release();
    EXPECT_STATUS(0, kairos_handle_close(value, 0));
    EXPECT_STATUS(-EBADF, kairos_handle_close(value, 0));
}

TEST("a handle is its slot and its generation") {
    const Owned event = make_event();
    for (uint32_t bit = 0; bit < 32; ++bit) {
        const kairos_handle_t other = event ^ (1u << bit);
        // Whatever else it may be, it is not this event.
        kairos_info_basic info{};
        const kairos_status_t status =
            kairos_object_info(other, KAIROS_INFO_BASIC, &info, sizeof(info));
        if (status > 0) EXPECT(info.id != id_of(event));
        if (status < 0) EXPECT_STATUS(-EBADF, status);
    }
}

TEST("a closed handle stays invalid for 4096 reuses of its slot") {
    const Owned event = make_event();
    Owned first = duplicate(event);
    const kairos_handle_t old = first;
    first.close();
    for (int i = 0; i < 4096; ++i) {
        const Owned next = duplicate(event);
        if (!EXPECT(next != old)) break;
        if (!EXPECT_STATUS(-EBADF, kairos_handle_close(old, 0))) break;
    }
}

TEST("handles of one process differ while they live") {
    const Owned event = make_event();
    kairos_handle_t copies[64];
    for (kairos_handle_t& copy : copies) {
        REQUIRE_STATUS(0, kairos_handle_duplicate(event, KRIGHT_SAME, &copy));
    }
    for (size_t i = 0; i < 64; ++i) {
        for (size_t j = 0; j < i; ++j) EXPECT(copies[i] != copies[j]);
    }
    for (const kairos_handle_t copy : copies) EXPECT_STATUS(0, kairos_handle_close(copy, 0));
}

// ---- Duplicate
// -----------------------------------------------------------------------------------

TEST("duplicate: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    auto* unreachable = static_cast<kairos_handle_t*>(bad.unreachable());
    const kairos_handle_t closed = closed_handle();
    const Owned event = make_event();
    const Owned bare = without(event, KRIGHT_DUPLICATE);
    kairos_handle_t out = 77;

    EXPECT_STATUS(-EINVAL, kairos_handle_duplicate(closed, 0, kernel));
    EXPECT_STATUS(-EINVAL, kairos_handle_duplicate(closed, kUndefinedRight, kernel));
    EXPECT_STATUS(-EINVAL, kairos_handle_duplicate(closed, KRIGHT_SAME | KRIGHT_READ, kernel));
    EXPECT_STATUS(-EINVAL, kairos_handle_duplicate(closed, ~0u, kernel));
    EXPECT_STATUS(-EFAULT, kairos_handle_duplicate(closed, KRIGHT_SAME, kernel));
    EXPECT_STATUS(-EBADF, kairos_handle_duplicate(closed, KRIGHT_SAME, unreachable));
    EXPECT_STATUS(-EACCES, kairos_handle_duplicate(bare, KRIGHT_SAME, unreachable));
    EXPECT_STATUS(-EACCES, kairos_handle_duplicate(bare, KRIGHT_READ, &out));
    EXPECT_STATUS(-EACCES, kairos_handle_duplicate(event, KRIGHT_MAP, &out));
    EXPECT_STATUS(-EACCES, kairos_handle_duplicate(event, KRIGHT_MAP | KRIGHT_READ, unreachable));
    EXPECT_EQ(77u, out);
    EXPECT_STATUS(-EFAULT, kairos_handle_duplicate(event, KRIGHT_SAME, unreachable));
}

TEST("duplicate: bad output pointers") {
    const Owned event = make_event();
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_handle_duplicate(event, KRIGHT_SAME, out));
}

TEST("duplicate: exactly the rights asked for") {
    const Channel channel;
    for (uint32_t subset = 1; subset < KRIGHT_ALL; ++subset) {
        kairos_handle_t out = KAIROS_HANDLE_INVALID;
        const kairos_status_t status = kairos_handle_duplicate(channel.a, subset, &out);
        if ((subset & ~kChannelRights) != 0) {
            EXPECT_STATUS(-EACCES, status);
            continue;
        }
        REQUIRE_STATUS(0, status);
        const Owned copy(out);
        EXPECT_EQ(subset, rights_of(copy));
    }
    EXPECT_EQ(rights_of(channel.a), rights_of(duplicate(channel.a)));
}

TEST("duplicate: the same object, and both keep it") {
    Channel channel;
    Owned copy = duplicate(channel.a);
    EXPECT_EQ(id_of(channel.a), id_of(copy));
    channel.a.close();
    EXPECT_STATUS(0, send_text(copy, "still open"));
    EXPECT_EQ(0u, ready(channel.b, 0));
    copy.close();
    EXPECT_EQ(POLLHUP, ready(channel.b, 0));
}

// ---- Rights
// --------------------------------------------------------------------------------------

TEST("rights of new objects") {
    const Channel channel;
    EXPECT_EQ(kChannelRights, rights_of(channel.a));
    EXPECT_EQ(kChannelRights, rights_of(channel.b));
    const Owned port = make_port();
    EXPECT_EQ(KRIGHT_WAIT | KRIGHT_MANAGE | KRIGHT_DUPLICATE | KRIGHT_WRITE, rights_of(port));
    const Owned transferable = make_port(KPORT_CREATE_TRANSFERABLE);
    EXPECT_EQ(rights_of(port) | KRIGHT_TRANSFER, rights_of(transferable));
    EXPECT_EQ(KRIGHT_READ | KRIGHT_WAIT | KRIGHT_SIGNAL | KRIGHT_DUPLICATE | KRIGHT_TRANSFER,
              rights_of(make_event()));
    constexpr kairos_rights_t kMemoryRights = KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                              KRIGHT_DUPLICATE | KRIGHT_MAP | KRIGHT_EXECUTE;
    EXPECT_EQ(kMemoryRights, rights_of(make_memory()) & kMemoryRights);
}

TEST("rights_get: errors in their order") {
    const BadPointers bad;
    const Owned event = make_event();
    EXPECT_STATUS(-EFAULT, kairos_cap_rights_get(closed_handle(),
                                                 static_cast<kairos_rights_t*>(bad.kernel())));
    EXPECT_STATUS(-EBADF, kairos_cap_rights_get(closed_handle(),
                                                static_cast<kairos_rights_t*>(bad.unreachable())));
    EXPECT_OUTPUT_CHECKED(kairos_rights_t, kairos_cap_rights_get(event, out));
}

TEST("rights_limit: errors in their order") {
    const kairos_handle_t closed = closed_handle();
    const Owned event = make_event();
    EXPECT_STATUS(-EINVAL, kairos_cap_rights_limit(closed, 0));
    EXPECT_STATUS(-EINVAL, kairos_cap_rights_limit(closed, kUndefinedRight));
    EXPECT_STATUS(-EINVAL, kairos_cap_rights_limit(closed, KRIGHT_SAME | KRIGHT_READ));
    EXPECT_STATUS(-EBADF, kairos_cap_rights_limit(closed, KRIGHT_READ));
    EXPECT_STATUS(-EACCES, kairos_cap_rights_limit(event, KRIGHT_MAP));
    EXPECT_STATUS(-EACCES, kairos_cap_rights_limit(event, KRIGHT_READ | KRIGHT_MAP));
    EXPECT_EQ(rights_of(make_event()), rights_of(event));
}

TEST("rights_limit: only ever fewer, in place") {
    const Channel channel;
    const kairos_handle_t handle = channel.a;
    EXPECT_STATUS(0, kairos_cap_rights_limit(handle, KRIGHT_SAME));
    EXPECT_EQ(kChannelRights, rights_of(handle));
    EXPECT_STATUS(0, kairos_cap_rights_limit(handle, KRIGHT_READ | KRIGHT_WAIT));
    EXPECT_EQ(KRIGHT_READ | KRIGHT_WAIT, rights_of(handle));
    EXPECT_STATUS(-EACCES, kairos_cap_rights_limit(handle, kChannelRights));
    EXPECT_STATUS(-EACCES, kairos_cap_rights_limit(handle, KRIGHT_WRITE));
    EXPECT_STATUS(-EACCES, send_text(handle, "no"));
    EXPECT_STATUS(0, kairos_cap_rights_limit(handle, KRIGHT_WAIT));
    EXPECT_EQ(KRIGHT_WAIT, rights_of(handle));
    EXPECT_EQ(kChannelRights, rights_of(channel.b));
}

TEST("rights of one handle say nothing about another of the same object") {
    const Channel channel;
    const Owned copy = duplicate(channel.a);
    EXPECT_STATUS(0, kairos_cap_rights_limit(channel.a, KRIGHT_READ));
    EXPECT_EQ(kChannelRights, rights_of(copy));
    EXPECT_STATUS(0, send_text(copy, "yes"));
}

// ---- A full table
// --------------------------------------------------------------------------------

TEST("a full table") {
    const Channel channel;
    Owned inside = make_event();
    const uint64_t inside_id = id_of(inside);
    REQUIRE_STATUS(0, send_handle(channel.a, inside));
    const Owned event = make_event();
    static kairos_handle_t copies[KHANDLE_MAX_PER_PROCESS];
    const uint32_t before = own_handles();
    uint32_t count = 0;
    kairos_status_t status = 0;
    while (count < KHANDLE_MAX_PER_PROCESS) {
        status = kairos_handle_duplicate(event, KRIGHT_SAME, &copies[count]);
        if (status != 0) break;
        ++count;
    }
    EXPECT_STATUS(-EMFILE, status);
    EXPECT_EQ(KHANDLE_MAX_PER_PROCESS, before + count);

    kairos_handle_t out0 = 77;
    kairos_handle_t out1 = 78;
    EXPECT_STATUS(-EMFILE, kairos_event_create(&out0));
    EXPECT_STATUS(-EMFILE, kairos_port_create(0, &out0));
    EXPECT_STATUS(-EMFILE, kairos_memory_create(4096, 0, &out0));
    EXPECT_STATUS(-EMFILE, kairos_timer_create(&out0));
    EXPECT_STATUS(-EMFILE, kairos_channel_create(0, &out0, &out1));
    EXPECT_STATUS(-EMFILE, kairos_thread_create(kairos_self_process(), "t", &out0));
    EXPECT_STATUS(-EMFILE, kairos_process_create("p", 0, &out0, &out1));
    EXPECT_EQ(KHANDLE_MAX_PER_PROCESS, own_handles());

    // A message with a handle stays the first until there is room.
    Inbox inbox;
    EXPECT_STATUS(-EMFILE, inbox.poll(channel.b));
    EXPECT_EQ(1u, queued_in(channel.b));
    // Room for one is not room for two.
    REQUIRE_STATUS(0, kairos_handle_close(copies[--count], 0));
    EXPECT_STATUS(-EMFILE, kairos_channel_create(0, &out0, &out1));
    EXPECT_EQ(KHANDLE_MAX_PER_PROCESS - 1, own_handles());
    EXPECT_STATUS(1, inbox.poll(channel.b));
    EXPECT_EQ(inside_id, id_of(inbox.received[0]));
    while (count > 0) EXPECT_STATUS(0, kairos_handle_close(copies[--count], 0));
}

// The first of the two cannot be closed by anybody, so this is done in a process that ends.
ROLE("same output twice") {
    kairos_handle_t both = KAIROS_HANDLE_INVALID;
    const uint32_t before = own_handles();
    if (kairos_channel_create(0, &both, &both) != 0) return 2;
    if (own_handles() != before + 2) return 3;
    Inbox inbox;
    return inbox.poll(both) == -EAGAIN ? 0 : 4;
}

TEST("one output pointer given twice: both are made, the second value stays") {
    EXPECT_EQ(0, run_role("same output twice"));
}
