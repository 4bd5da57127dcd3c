// Who holds an object, as a tree, and what a process holds.
#include "fds.h"
#include "harness.h"
#include "holder_list.h"
#include "hostile.h"
#include "messages.h"
#include "roles.h"
#include "workers.h"

namespace {

bool same(const Entry& one, const Entry& other) { return memcmp(&one, &other, sizeof(one)) == 0; }

// Each line hangs below the line that its depth says.
void expect_tree(const List& list) {
    const Entry* above[16] = {};
    for (uint32_t i = 0; i < list.count; ++i) {
        const Entry& line = list.lines[i];
        REQUIRE(line.depth < 15);
        EXPECT_EQ(line.depth == 0 ? 0 : above[line.depth - 1]->cap_id, line.parent_id);
        above[line.depth] = &line;
    }
}

}  // namespace

// ---- Errors
// --------------------------------------------------------------------------------------

TEST("system_holders and system_handles: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<Entry*>(bad.kernel());
    auto* unreachable = static_cast<Entry*>(bad.unreachable());
    const Owned blind = without(root(), KRIGHT_READ);
    Owned mmio;
    REQUIRE_STATUS(0, kairos_resource_create(root(), KRESOURCE_MMIO, 0x10000000, KAIROS_PAGE_SIZE,
                                             mmio.out()));
    for (const auto call : {kairos_system_holders, kairos_system_handles}) {
        EXPECT_STATUS(-EINVAL, call(closed_handle(), 0, 0, kernel, 0));
        EXPECT_STATUS(-EFAULT, call(closed_handle(), 0, 0, kernel, 1));
        EXPECT_STATUS(-EFAULT, call(closed_handle(), 0, 0, unreachable, UINT32_MAX));
        EXPECT_STATUS(-EBADF, call(closed_handle(), 0, 0, unreachable, 1));
        EXPECT_STATUS(-ENOTSUP, call(make_event(), 0, 0, unreachable, 1));
        EXPECT_STATUS(-EACCES, call(blind, 0, 0, unreachable, 1));
        EXPECT_STATUS(-EACCES, call(mmio, 0, 0, unreachable, 1));
        for (const uint64_t none : {uint64_t{0}, UINT64_MAX, uint64_t{1} << 40}) {
            EXPECT_STATUS(-ENOENT, call(root(), none, 0, unreachable, 1));
        }
        EXPECT_STATUS(-EFAULT, call(root(), own_id(), 0, unreachable, 1));
    }
    Entry line;
    EXPECT_STATUS(-ENOENT, kairos_system_handles(root(), id_of(make_event()), 0, &line, 1));
    EXPECT_STATUS(-ENOENT, kairos_system_handles(root(), id_of(blind), 0, &line, 1));
}

TEST("system_holders: memory that ends in the middle of a line, and further calls") {
    const Pages pages;
    const Owned event = make_event();
    const Owned copy = duplicate(event);
    auto* const last = reinterpret_cast<Entry*>(pages.end()) - 1;
    const uint64_t id = id_of(event);
    EXPECT_STATUS(-EFAULT, kairos_system_holders(root(), id, 0, last, 2));
    EXPECT_STATUS(1, kairos_system_holders(root(), id, 1, last, 2));
    EXPECT_EQ(lineage_of(copy).cap_id, last->cap_id);
    EXPECT_STATUS(0, kairos_handle_revoke(event));
    EXPECT_STATUS(1, kairos_system_holders(root(), id, 0, last, 1));
}

// ---- The tree
// ------------------------------------------------------------------------------------

TEST("system_holders: a handle by itself") {
    const Owned event = make_event();
    REQUIRE_STATUS(0, kairos_cap_rights_limit(event, KRIGHT_READ | KRIGHT_WAIT));
    const List list = holders_of(event);
    REQUIRE_EQ(1u, list.count);
    const Entry& line = list.lines[0];
    EXPECT_EQ(lineage_of(event).cap_id, line.cap_id);
    EXPECT_EQ(0u, line.parent_id);
    EXPECT_EQ(id_of(event), line.object_id);
    EXPECT_EQ(own_id(), line.process_id);
    EXPECT_EQ(0u, line.carrier_id);
    EXPECT_EQ(static_cast<kairos_handle_t>(event), line.value);
    EXPECT_EQ(KRIGHT_READ | KRIGHT_WAIT, line.rights);
    EXPECT_EQ(KOBJ_TYPE_EVENT, line.type);
    EXPECT_EQ(KAIROS_PLACE_HANDLE, line.place);
    EXPECT_EQ(0u, line.depth);
}

TEST("system_holders: parents before children, whatever the pages") {
    const Owned top = make_event();
    const Owned left = duplicate(top, KRIGHT_READ | KRIGHT_DUPLICATE);
    const Owned right = duplicate(top);
    const Owned low0 = duplicate(left, KRIGHT_READ);
    const Owned low1 = duplicate(left);
    const Owned lowest = duplicate(low1);
    Owned other_root;
    REQUIRE_STATUS(0, kairos_system_open(root(), id_of(top), KRIGHT_READ, other_root.out()));
    const List list = holders_of(top);
    REQUIRE_EQ(7u, list.count);
    expect_tree(list);
    const struct {
        const Owned& handle;
        uint32_t depth;
    } nodes[] = {{top, 0},  {left, 1},   {right, 1},     {low0, 2},
                 {low1, 2}, {lowest, 3}, {other_root, 0}};
    for (const auto& node : nodes) {
        const Entry* line = list.of_cap(lineage_of(node.handle).cap_id);
        REQUIRE(line != nullptr);
        EXPECT_EQ(lineage_of(node.handle).parent_id, line->parent_id);
        EXPECT_EQ(static_cast<kairos_handle_t>(node.handle), line->value);
        EXPECT_EQ(rights_of(node.handle), line->rights);
        EXPECT_EQ(node.depth, line->depth);
    }
    for (uint32_t page = 1; page <= 8; ++page) {
        const List again = holders_of(id_of(top), page);
        REQUIRE_EQ(list.count, again.count);
        for (uint32_t i = 0; i < list.count; ++i) EXPECT(same(list.lines[i], again.lines[i]));
    }
}

TEST("system_holders: closed handles do not show, and their children hang higher") {
    const Owned top = make_event();
    Owned middle = duplicate(top);
    Owned low = duplicate(middle);
    const Owned leaves[] = {duplicate(low), duplicate(low), duplicate(middle), duplicate(middle)};
    low.close();
    middle.close();
    const List list = holders_of(top);
    REQUIRE_EQ(5u, list.count);
    expect_tree(list);
    for (const Owned& leaf : leaves) {
        const Entry* line = list.of_cap(lineage_of(leaf).cap_id);
        REQUIRE(line != nullptr);
        EXPECT_EQ(1u, line->depth);
        EXPECT_EQ(lineage_of(top).cap_id, line->parent_id);
    }
}

TEST("system_holders: past a long row of closed handles") {
    const Owned top = make_event();
    Owned chain[200];
    Owned leaves[200];
    for (int i = 0; i < 200; ++i) {
        chain[i] = duplicate(i == 0 ? top : chain[i - 1]);
        leaves[i] = duplicate(chain[i]);  // so that each has two children
    }
    const Owned lowest = duplicate(chain[199]);
    for (Owned& closed : chain) closed.close();
    EXPECT_EQ(lineage_of(top).cap_id, lineage_of(lowest).parent_id);
    const List list = holders_of(top);
    REQUIRE_EQ(202u, list.count);
    expect_tree(list);
    for (uint32_t i = 1; i < list.count; ++i) EXPECT_EQ(1u, list.lines[i].depth);
}

TEST("system_holders: revoking takes the subtree out") {
    const Owned top = make_event();
    const Owned left = duplicate(top);
    const Owned right = duplicate(top);
    const Owned low[] = {duplicate(left), duplicate(left)};
    EXPECT_EQ(5u, holders_of(top).count);
    REQUIRE_STATUS(0, kairos_handle_revoke(left));
    const List list = holders_of(top);
    EXPECT_EQ(3u, list.count);
    expect_tree(list);
    EXPECT(!is_valid(low[0]) && !is_valid(low[1]));
    EXPECT(list.of_cap(lineage_of(left).cap_id) != nullptr);
}

// ---- Where handles are
// ---------------------------------------------------------------------------

TEST("system_holders: a handle in a queue names the endpoint that it lies in") {
    const Channel channel;
    const Channel travels;
    Owned event = make_event();
    Owned endpoint = duplicate(travels.a);
    const uint64_t event_id = id_of(event);
    const uint64_t cap = lineage_of(endpoint).cap_id;
    REQUIRE_STATUS(0, send_handle(channel.a, event));
    REQUIRE_STATUS(0, send_handle(channel.a, endpoint));
    const List of_event = holders_of(event_id);
    REQUIRE_EQ(1u, of_event.count);
    const List of_endpoint = holders_of(travels.a);
    REQUIRE_EQ(2u, of_endpoint.count);
    expect_tree(of_endpoint);
    for (const Entry* line : {&of_event.lines[0], of_endpoint.of_cap(cap)}) {
        REQUIRE(line != nullptr);
        EXPECT_EQ(KAIROS_PLACE_IN_FLIGHT, line->place);
        EXPECT_EQ(id_of(channel.b), line->carrier_id);
        EXPECT_EQ(own_id(), line->process_id);
        EXPECT_EQ(0u, line->value);
    }
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    const List received = holders_of(event_id);
    REQUIRE_EQ(1u, received.count);
    EXPECT_EQ(KAIROS_PLACE_HANDLE, received.lines[0].place);
    EXPECT_EQ(0u, received.lines[0].carrier_id);
    EXPECT_EQ(static_cast<kairos_handle_t>(inbox.received[0]), received.lines[0].value);
}

TEST("system_holders: a handle that waits to be sent is set aside in its table") {
    const Channel channel;
    fill_queue(channel.a);
    const Owned event = make_event();
    kairos_handle_t sent = duplicate(event).release();
    const uint64_t cap = lineage_of(sent).cap_id;
    Blocked sending([&] { return send_handles(channel.a, &sent, 1, 0); });
    const List holders = holders_of(event);
    const List handles = handles_of(own_id());
    for (const Entry* line : {holders.of_cap(cap), handles.of_cap(cap)}) {
        REQUIRE(line != nullptr);
        EXPECT_EQ(KAIROS_PLACE_RESERVED, line->place);
        EXPECT_EQ(sent, line->value);
        EXPECT_EQ(own_id(), line->process_id);
    }
    sending.interrupt();
    EXPECT_STATUS(-EINTR, sending.result());
    EXPECT_EQ(KAIROS_PLACE_HANDLE, holders_of(event).of_cap(cap)->place);
    kairos_handle_close(sent, 0);
}

TEST("system_holders: a message that is dropped takes its handles out of the list") {
    Channel channel;
    const Owned event = make_event();
    Owned copy = duplicate(event);
    REQUIRE_STATUS(0, send_handle(channel.a, copy));
    EXPECT_EQ(2u, holders_of(event).count);
    channel.b.close();
    EXPECT_EQ(1u, holders_of(event).count);
}

ROLE("holds what it was given until the channel closes") {
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_USER0);
    Inbox inbox;
    if (inbox.receive(channel) != 1) return 2;
    const Owned event = std::move(inbox.received[0]);
    const Owned copy = duplicate(event, KRIGHT_READ);
    if (send_value(channel, static_cast<kairos_handle_t>(copy)) != 0) return 3;
    while (inbox.receive(channel) == 1) {}
    return 0;
}

TEST("system_holders: a handle of another process, and what that made from it") {
    Channel channel;
    const Owned process = spawn_role("holds what it was given until the channel closes",
                                     {{KAIROS_BOOT_USER0, channel.b.release()}});
    const Owned event = make_event();
    Owned copy = duplicate(event);
    const uint64_t cap = lineage_of(copy).cap_id;
    REQUIRE_STATUS(0, send_handle(channel.a, copy));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.receive(channel.a));
    kairos_handle_t theirs = 0;
    memcpy(&theirs, inbox.bytes, sizeof(theirs));

    const List list = holders_of(event);
    REQUIRE_EQ(3u, list.count);
    expect_tree(list);
    const Entry* given = list.of_cap(cap);
    REQUIRE(given != nullptr);
    EXPECT_EQ(id_of(process), given->process_id);
    EXPECT_EQ(lineage_of(event).cap_id, given->parent_id);
    const Entry& below = list.lines[2];
    EXPECT_EQ(cap, below.parent_id);
    EXPECT_EQ(id_of(process), below.process_id);
    EXPECT_EQ(theirs, below.value);
    EXPECT_EQ(KRIGHT_READ, below.rights);
    EXPECT_EQ(2u, below.depth);

    const List handles = handles_of(id_of(process));
    EXPECT(handles.of_cap(cap) != nullptr);
    EXPECT(handles.of_cap(below.cap_id) != nullptr);
    REQUIRE_STATUS(0, kairos_handle_revoke(event));
    EXPECT_EQ(1u, holders_of(event).count);
    EXPECT(handles_of(id_of(process)).of_cap(cap) == nullptr);
    channel.a.close();
    EXPECT_EQ(0, exit_code_of(process));
    EXPECT_EQ(0u, handles_of(id_of(process)).count);
}

TEST("system_holders: descriptors, below the handle and above handles made from them") {
    const Channel channel;
    const Fd fd = bridge(channel.a);
    const Owned back = handle_of(fd);
    const Fd copy(kairos_fd_dup(fd, 0, 0));
    const List list = holders_of(channel.a);
    REQUIRE_EQ(4u, list.count);
    expect_tree(list);
    const auto line_of = [&](int number) {
        return list.find([&](const Entry& line) {
            return line.place == KAIROS_PLACE_DESCRIPTOR &&
                   line.value == static_cast<uint32_t>(number);
        });
    };
    const Entry* first = line_of(fd);
    const Entry* second = line_of(copy);
    REQUIRE(first != nullptr && second != nullptr);
    EXPECT_EQ(lineage_of(channel.a).cap_id, first->parent_id);
    EXPECT_EQ(first->cap_id, second->parent_id);
    EXPECT_EQ(own_id(), second->process_id);
    EXPECT_EQ(first->cap_id, lineage_of(back).parent_id);
    EXPECT_EQ(2u, list.of_cap(lineage_of(back).cap_id)->depth);
    REQUIRE_STATUS(0, kairos_handle_revoke(channel.a));
    EXPECT_EQ(1u, holders_of(channel.a).count);
    EXPECT(handles_of(own_id()).of_cap(second->cap_id) == nullptr);
}

TEST("system_holders: dup2 puts another descriptor where one was") {
    Pipe pipe;
    const Channel channel;
    const Fd fd = bridge(channel.a);
    REQUIRE_STATUS(pipe.in, kairos_fd_dup2(fd, pipe.in, 0));
    const List list = holders_of(channel.a);
    REQUIRE_EQ(3u, list.count);
    EXPECT_EQ(static_cast<uint32_t>(pipe.in), list.lines[2].value);
    EXPECT_EQ(KAIROS_PLACE_DESCRIPTOR, list.lines[2].place);
    pipe.in.close();
    EXPECT_EQ(2u, holders_of(channel.a).count);
}

TEST("system_holders: what is mapped goes with the handle that it was mapped through") {
    const Owned memory = make_memory();
    const Owned through = duplicate(memory);
    void* at = nullptr;
    REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), through, 0, &at, KAIROS_PAGE_SIZE,
                                 KPROT_READ | KPROT_WRITE));
    const List list = holders_of(memory);
    REQUIRE_EQ(3u, list.count);
    expect_tree(list);
    const Entry& mapping = list.lines[2];
    EXPECT_EQ(KAIROS_PLACE_MAPPING, mapping.place);
    EXPECT_EQ(lineage_of(through).cap_id, mapping.parent_id);
    EXPECT_EQ(id_of(kairos_self_aspace()), mapping.carrier_id);
    EXPECT_EQ(2u, mapping.depth);
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), at, KAIROS_PAGE_SIZE));
    EXPECT_EQ(2u, holders_of(memory).count);
}

// ---- A process
// -----------------------------------------------------------------------------------

TEST("system_handles: every handle by its place, then every descriptor") {
    const Channel channel;
    const Owned events[] = {make_event(), make_event()};
    const Fd fd = bridge(channel.a);
    const List list = handles_of(own_id());
    EXPECT_EQ(own_handles() + own_fds(), list.count);
    for (uint32_t i = 0; i < list.count; ++i) {
        const Entry& line = list.lines[i];
        const bool descriptor = i >= own_handles();
        EXPECT_EQ(descriptor ? KAIROS_PLACE_DESCRIPTOR : KAIROS_PLACE_HANDLE, line.place);
        EXPECT_EQ(own_id(), line.process_id);
        EXPECT_EQ(0u, line.depth);
        if (i == 0 || i == own_handles()) continue;
        EXPECT((list.lines[i - 1].value & 0xfff) < (line.value & 0xfff));
    }
    for (const Owned& event : events) {
        const Entry* line = list.of_cap(lineage_of(event).cap_id);
        REQUIRE(line != nullptr);
        EXPECT_EQ(id_of(event), line->object_id);
        EXPECT_EQ(static_cast<kairos_handle_t>(event), line->value);
        EXPECT_EQ(rights_of(event), line->rights);
    }
    for (const uint32_t page : {1u, 2u, 7u}) {
        const List again = handles_of(own_id(), page);
        REQUIRE_EQ(list.count, again.count);
        for (uint32_t i = 0; i < list.count; ++i) EXPECT(same(list.lines[i], again.lines[i]));
    }
}

TEST("system_handles: of a process that was never started, and of none") {
    Owned process;
    Owned space;
    REQUIRE_STATUS(0,
                   kairos_process_create("new", KAIROS_HANDLE_INVALID, process.out(), space.out()));
    const uint64_t id = id_of(process);
    EXPECT_EQ(0u, handles_of(id).count);
    space.close();
    process.close();
    Entry line;
    kairos_status_t status;
    while ((status = kairos_system_handles(root(), id, 0, &line, 1)) == 0) kairos_yield();
    EXPECT_STATUS(-ENOENT, status);
}
