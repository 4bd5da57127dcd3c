// File descriptors: numbers, rights, flags, the bridge to handles both ways, and what becomes of
// both when one of them goes.
#include <poll.h>

#include "fds.h"
#include "harness.h"
#include "hostile.h"
#include "packets.h"
#include "roles.h"
#include "workers.h"

namespace {

constexpr uint32_t kAllFdRights = FD_RIGHT_READ | FD_RIGHT_WRITE | FD_RIGHT_IOCTL | FD_RIGHT_DUP;

kairos_info_channel channel_info(kairos_handle_t endpoint) {
    return info_of<kairos_info_channel>(endpoint, KAIROS_INFO_CHANNEL);
}

// How the rights of a handle and those of its descriptor correspond, by type.
struct Map {
    uint32_t type;
    struct {
        uint32_t fd;
        kairos_rights_t from;
        kairos_rights_t back;
    } entries[4];
};
constexpr Map kMaps[] = {
    {KOBJ_TYPE_CHANNEL,
     {{FD_RIGHT_READ, KRIGHT_READ, KRIGHT_READ},
      {FD_RIGHT_WRITE, KRIGHT_WRITE, KRIGHT_WRITE},
      {FD_RIGHT_DUP, KRIGHT_DUPLICATE, KRIGHT_DUPLICATE}}},
    {KOBJ_TYPE_PORT,
     {{FD_RIGHT_READ, KRIGHT_WAIT, KRIGHT_WAIT},
      {FD_RIGHT_IOCTL, KRIGHT_MANAGE, KRIGHT_MANAGE},
      {FD_RIGHT_DUP, KRIGHT_DUPLICATE, KRIGHT_DUPLICATE}}},
    {KOBJ_TYPE_FILE,
     {{FD_RIGHT_READ, KRIGHT_READ, KRIGHT_READ | KRIGHT_WAIT},
      {FD_RIGHT_WRITE, KRIGHT_WRITE, KRIGHT_WRITE | KRIGHT_WAIT},
      {FD_RIGHT_DUP, KRIGHT_DUPLICATE, KRIGHT_DUPLICATE | KRIGHT_TRANSFER}}},
};

uint32_t to_fd(const Map& map, kairos_rights_t rights) {
    uint32_t result = 0;
    for (const auto& entry : map.entries) {
        if (entry.fd != 0 && (rights & entry.from) != 0) result |= entry.fd;
    }
    return result;
}

kairos_rights_t to_handle(const Map& map, uint32_t fd_rights, kairos_rights_t ceiling) {
    kairos_rights_t result = 0;
    for (const auto& entry : map.entries) {
        if ((fd_rights & entry.fd) != 0) result |= entry.back;
    }
    return result & ceiling;
}

Owned make_of(uint32_t type) {
    if (type == KOBJ_TYPE_PORT) return make_port(KPORT_CREATE_TRANSFERABLE);
    if (type == KOBJ_TYPE_CHANNEL) return std::move(Channel().a);
    return handle_of(Fd(kairos_fd_console(0)));
}

// From one handle to a descriptor, narrowed to each subset, and back again.
void check_way_back(const Map& map, kairos_handle_t handle) {
    const kairos_rights_t had = rights_of(handle);
    const uint32_t all = to_fd(map, had);
    for (uint32_t left = all; left != 0; left = (left - 1) & all) {
        const Fd fd = bridge(handle);
        if (!EXPECT_EQ(all, fd_rights(fd))) return;
        REQUIRE_STATUS(0, kairos_fd_rights_limit(fd, left));
        const kairos_rights_t back = to_handle(map, left, had);
        Owned again;
        const bool useful = (left & ~FD_RIGHT_DUP) != 0;
        EXPECT_STATUS(useful ? 0 : -EACCES, kairos_handle_from_fd(fd, KRIGHT_SAME, again.out()));
        if (!useful) continue;
        EXPECT_EQ(back, rights_of(again));
        for (uint32_t bit = 1; bit < KRIGHT_ALL; bit <<= 1) {
            Owned one;
            EXPECT_STATUS((back & bit) != 0 ? 0 : -EACCES,
                          kairos_handle_from_fd(fd, bit, one.out()));
        }
    }
}

}  // namespace

// ---- Rights -------------------------------------------------------------------------------------

TEST("rights: every set of a handle's, every subset of its descriptor's, and back") {
    for (const Map& map : kMaps) {
        const Owned object = make_of(map.type);
        const kairos_rights_t all = rights_of(object);
        for (kairos_rights_t rights = all; rights != 0; rights = (rights - 1) & all) {
            const Owned handle = duplicate(object, rights);
            const uint32_t expected = to_fd(map, rights);
            const bool bridged =
                (rights & KRIGHT_DUPLICATE) != 0 && (expected & ~FD_RIGHT_DUP) != 0;
            int number = -7;
            const kairos_status_t status = kairos_fd_from_handle(handle, 0, &number);
            EXPECT_STATUS(bridged ? 0 : -EACCES, status);
            if (status != 0) {
                EXPECT_EQ(-7, number);
                continue;
            }
            const Fd fd(number);
            EXPECT_EQ(expected, fd_rights(fd));
            check_way_back(map, handle);
        }
    }
}

TEST("rights: limits only shrink") {
    const Channel channel;
    const Fd fd = bridge(channel.a);
    EXPECT_EQ(FD_RIGHT_READ | FD_RIGHT_WRITE | FD_RIGHT_DUP, fd_rights(fd));
    EXPECT_STATUS(-EACCES, kairos_fd_rights_limit(fd, kAllFdRights));
    EXPECT_STATUS(0, kairos_fd_rights_limit(fd, FD_RIGHT_WRITE | FD_RIGHT_DUP));
    EXPECT_STATUS(-EACCES, kairos_fd_rights_limit(fd, FD_RIGHT_READ));
    EXPECT_STATUS(-EINVAL, kairos_fd_rights_limit(fd, 0));
    EXPECT_STATUS(-EINVAL, kairos_fd_rights_limit(fd, 16));
    EXPECT_EQ(FD_RIGHT_WRITE | FD_RIGHT_DUP, fd_rights(fd));
    char byte;
    EXPECT_STATUS(-EBADF, kairos_fd_read(fd, &byte, 1));
    EXPECT_STATUS(0, kairos_fd_rights_limit(fd, FD_RIGHT_WRITE));
    EXPECT_STATUS(-EBADF, kairos_fd_dup(fd, 0, 0));
    EXPECT_STATUS(-EBADF, kairos_fd_dup2(fd, 9, 0));
    EXPECT_STATUS(-EBADF, kairos_fd_dup2(fd, fd, 0));
    EXPECT_STATUS(4, put(fd, "text"));
}

TEST("types without a bridge, and O_NONBLOCK on a file") {
    const Owned event = make_event();
    const Owned memory = make_memory();
    const Owned timer = make_timer();
    int fd = -7;
    for (const kairos_handle_t handle : {kairos_handle_t{event}, kairos_handle_t{memory},
                                         kairos_handle_t{timer}, kairos_self_process()}) {
        EXPECT_STATUS(-ENOTSUP, kairos_fd_from_handle(handle, 0, &fd));
    }
    const Pipe pipe;
    const Owned file = handle_of(pipe.out);
    EXPECT_STATUS(-EINVAL, kairos_fd_from_handle(file, O_NONBLOCK, &fd));
    EXPECT_STATUS(-EINVAL, kairos_fd_from_handle(file, 1, &fd));
    EXPECT_EQ(-7, fd);
    const Fd again = bridge(file, O_CLOEXEC);
    EXPECT_STATUS(O_CLOEXEC, kairos_fd_flags(again, 0, 0));
}

// ---- Numbers ------------------------------------------------------------------------------------

TEST("numbers: the lowest that is free") {
    const Owned port = make_port();
    Fd fds[5];
    for (Fd& fd : fds) fd = bridge(port);
    for (int i = 1; i < 5; ++i) EXPECT_EQ(fds[0] + i, +fds[i]);
    const int second = fds[1];
    const int fourth = fds[3];
    fds[3].close();
    fds[1].close();
    fds[1] = bridge(port);
    fds[3] = Fd(kairos_fd_dup(fds[0], 0, 0));
    EXPECT_EQ(second, +fds[1]);
    EXPECT_EQ(fourth, +fds[3]);
    const Fd high(kairos_fd_dup(fds[0], 700, 0));
    EXPECT_EQ(700, +high);
    const Fd higher(kairos_fd_dup(fds[0], 700, 0));
    EXPECT_EQ(701, +higher);
    EXPECT_STATUS(-EINVAL, kairos_fd_dup(fds[0], KFD_MAX_PER_PROCESS, 0));
}

TEST("numbers: a full table, and all of it again") {
    const Owned port = make_port();
    const uint32_t before = own_fds();
    static int fds[KFD_MAX_PER_PROCESS];
    for (int round = 0; round < 2; ++round) {
        uint32_t count = 0;
        kairos_status_t status;
        while ((status = kairos_fd_from_handle(port, 0, &fds[count])) == 0) ++count;
        EXPECT_STATUS(-EMFILE, status);
        EXPECT_EQ(KFD_MAX_PER_PROCESS, before + count);
        EXPECT_STATUS(-EMFILE, kairos_fd_dup(fds[0], 0, 0));
        int two[2] = {-7, -7};
        EXPECT_STATUS(-EMFILE, kairos_pipe(two, 0));
        EXPECT_EQ(-7, two[0]);
        // With one number free a pipe has not enough, and takes none.
        EXPECT_STATUS(0, kairos_fd_close(fds[--count]));
        EXPECT_STATUS(-EMFILE, kairos_pipe(two, 0));
        EXPECT_STATUS(fds[count], kairos_fd_dup2(fds[0], fds[count], 0));
        while (count-- > 0) EXPECT_STATUS(0, kairos_fd_close(fds[count]));
        EXPECT_STATUS(0, kairos_fd_close(KFD_MAX_PER_PROCESS - 1));
        EXPECT_EQ(before, own_fds());
    }
}

TEST("dup2: takes the place of what was there, which is closed") {
    Channel one;
    Channel other;
    Fd first = bridge(one.a);
    Fd second = bridge(other.a);
    other.a.close();
    EXPECT_STATUS(second, kairos_fd_dup2(first, second, 0));
    EXPECT_EQ(POLLHUP, ready(other.b, 0));  // nothing but the descriptor had kept it
    EXPECT_STATUS(3, put(second, "abc"));
    Inbox inbox;
    EXPECT_STATUS(1, inbox.poll(one.b));
    // Onto itself, and onto what is no number.
    EXPECT_STATUS(first, kairos_fd_dup2(first, first, 0));
    EXPECT_STATUS(-EBADF, kairos_fd_dup2(first, -1, 0));
    EXPECT_STATUS(-EBADF, kairos_fd_dup2(first, KFD_MAX_PER_PROCESS, 0));
    EXPECT_STATUS(-EBADF, kairos_fd_dup2(900, first, 0));
    EXPECT_STATUS(-EBADF, kairos_fd_dup2(900, 900, 0));
    EXPECT(is_open(first));
}

TEST("flags: each descriptor's own") {
    const Channel channel;
    const Fd fd = bridge(channel.a, O_NONBLOCK | O_CLOEXEC);
    EXPECT_STATUS(O_NONBLOCK | O_CLOEXEC, kairos_fd_flags(fd, 0, 0));
    const Fd copy(kairos_fd_dup(fd, 0, 0));
    EXPECT_STATUS(O_NONBLOCK, kairos_fd_flags(copy, O_NONBLOCK, O_CLOEXEC));
    EXPECT_STATUS(O_CLOEXEC, kairos_fd_flags(copy, 0, 0));
    EXPECT_STATUS(O_NONBLOCK | O_CLOEXEC, kairos_fd_flags(fd, O_CLOEXEC, 0));
    const Fd third(kairos_fd_dup(fd, 0, O_CLOEXEC));
    EXPECT_STATUS(O_NONBLOCK | O_CLOEXEC, kairos_fd_flags(third, 0, 0));
    EXPECT_STATUS(-EINVAL, kairos_fd_flags(fd, 1, 0));
    char byte;
    EXPECT_STATUS(-EAGAIN, kairos_fd_read(fd, &byte, 1));
    fill_queue(channel.a);
    EXPECT_STATUS(-EAGAIN, put(fd, "x"));
}

// ---- Bytes --------------------------------------------------------------------------------------

TEST("channel: a write is a message, a read takes one") {
    Channel channel;
    const Fd fd = bridge(channel.a);
    EXPECT_STATUS(5, put(fd, "first"));
    EXPECT_STATUS(0, kairos_fd_write(fd, nullptr, 0));
    EXPECT_EQ(2u, queued_in(channel.b));
    static char large[KCHANNEL_MAX_MSG_BYTES + 1];
    EXPECT_STATUS(-EMSGSIZE, kairos_fd_write(fd, large, sizeof(large)));
    REQUIRE_STATUS(0, send_text(channel.b, "reply"));
    char small[4];
    EXPECT_STATUS(-EMSGSIZE, kairos_fd_read(fd, small, sizeof(small)));
    EXPECT(gives(fd, "reply"));
    // Handles in a message are closed.
    Channel inner;
    kairos_handle_t sent = inner.a.release();
    const kairos_channel_msg message = message_of("with", 4, &sent, 1);
    REQUIRE_STATUS(0, kairos_channel_send(channel.b, &message, 0, kForever));
    EXPECT(gives(fd, "with"));
    EXPECT_EQ(POLLHUP, ready(inner.b, 0));
    REQUIRE_STATUS(0, send_text(channel.b, "last"));
    channel.b.close();
    EXPECT(gives(fd, "last"));
    EXPECT(gives(fd, ""));
    EXPECT_STATUS(-EPIPE, put(fd, "x"));
}

TEST("port: whole packets") {
    const Owned port = make_port();
    const Fd fd = bridge(port);
    for (uint64_t i = 1; i <= 3; ++i) {
        const kairos_port_packet packet = {i, 2, 3};
        REQUIRE_STATUS(0, kairos_port_queue(port, &packet));
    }
    kairos_port_packet packets[4] = {};
    EXPECT_STATUS(-EINVAL, kairos_fd_read(fd, packets, sizeof(packets[0]) - 1));
    EXPECT_STATUS(2 * sizeof(packets[0]), kairos_fd_read(fd, packets, 3 * sizeof(packets[0]) - 1));
    EXPECT_EQ(2u, packets[1].key);
    EXPECT_STATUS(-EBADF, kairos_fd_write(fd, packets, 1));
    EXPECT_EQ(POLLIN, polled(fd));
    EXPECT_STATUS(sizeof(packets[0]), kairos_fd_read(fd, packets, sizeof(packets)));
    EXPECT_STATUS(0, kairos_fd_flags(fd, 0, O_NONBLOCK));
    EXPECT_STATUS(-EAGAIN, kairos_fd_read(fd, packets, sizeof(packets)));
}

// ---- Who keeps what alive -----------------------------------------------------------------------

TEST("an endpoint lives by its descriptor alone, and dies with the last of both") {
    for (int last = 0; last < 3; ++last) {
        Channel channel;
        Fd fd = bridge(channel.a);
        Fd copy(kairos_fd_dup(fd, 0, 0));
        EXPECT_EQ(1u, channel_info(channel.a).owners_handle);
        EXPECT_EQ(2u, channel_info(channel.a).owners_fd);
        EXPECT_EQ(0u, channel_info(channel.a).owners_other);
        if (last != 0) channel.a.close();
        if (last != 1) fd.close();
        if (last != 2) copy.close();
        EXPECT_EQ(0u, ready(channel.b, 0));
        REQUIRE_STATUS(0, send_text(channel.b, "still there"));
        channel.a.close();
        fd.close();
        copy.close();
        EXPECT_EQ(POLLHUP, ready(channel.b, 0));
        EXPECT_STATUS(-EPIPE, send_text(channel.b, "gone"));
    }
}

TEST("a handle made of a descriptor keeps it alive, too") {
    Channel channel;
    Fd fd = bridge(channel.a);
    channel.a.close();
    Owned again = handle_of(fd);
    fd.close();
    EXPECT_EQ(0u, ready(channel.b, 0));
    EXPECT_STATUS(0, send_text(again, "from the handle"));
    again.close();
    EXPECT_EQ(POLLHUP, ready(channel.b, 0));
}

TEST("close, while a thread reads: the end, if nothing else keeps it") {
    Channel channel;
    Fd fd = bridge(channel.a);
    char byte;
    {
        Blocked read([&] { return kairos_fd_read(fd, &byte, 1); });
        const int number = fd.release();
        EXPECT_STATUS(0, kairos_fd_close(number));
        EXPECT(read.still_sleeps());  // the handle keeps the endpoint
        channel.a.close();
        EXPECT_STATUS(0, read.result());
    }
    Channel other;
    Fd writer = bridge(other.a);
    fill_queue(other.a);
    other.a.close();
    Blocked write([&] { return put(writer, "more"); });
    EXPECT_STATUS(0, kairos_fd_close(writer.release()));
    EXPECT_STATUS(-EPIPE, write.result());
    const Owned port = make_port();
    Fd port_fd = bridge(port);
    kairos_port_packet packet;
    Blocked wait([&] { return kairos_fd_read(port_fd, &packet, sizeof(packet)); });
    wait.interrupt();
    EXPECT_STATUS(-EINTR, wait.result());
}

// ---- Lineage ------------------------------------------------------------------------------------

TEST("lineage: handle, descriptor, handle") {
    const Channel channel;
    const Fd fd = bridge(channel.a);
    const Owned again = handle_of(fd);
    EXPECT_EQ(1u, lineage_of(channel.a).children);  // the descriptor
    EXPECT(lineage_of(again).parent_id != lineage_of(channel.a).cap_id);
    const Fd copy(kairos_fd_dup(fd, 0, 0));
    EXPECT_EQ(1u, lineage_of(channel.a).children);  // the copy is the descriptor's
    const Fd second = bridge(channel.a);
    EXPECT_EQ(2u, lineage_of(channel.a).children);
}

TEST("revoked: the descriptor is dead until it is closed, and so is what was made of it") {
    Channel channel;
    Fd fd = bridge(channel.a);
    Fd copy(kairos_fd_dup(fd, 0, 0));
    const kairos_handle_t again = handle_of(copy).release();
    REQUIRE_STATUS(0, send_text(channel.b, "never read by them"));
    EXPECT_STATUS(0, kairos_handle_revoke(channel.a));
    char bytes[32];
    uint32_t rights = 77;
    kairos_handle_t handle = 77;
    for (const int dead : {+fd, +copy}) {
        EXPECT_STATUS(-EBADF, kairos_fd_read(dead, bytes, sizeof(bytes)));
        EXPECT_STATUS(-EBADF, put(dead, "x"));
        EXPECT_STATUS(-EBADF, kairos_fd_dup(dead, 0, 0));
        EXPECT_STATUS(-EBADF, kairos_fd_dup2(dead, dead, 0));
        EXPECT_STATUS(-EBADF, kairos_fd_rights_get(dead, &rights));
        EXPECT_STATUS(-EBADF, kairos_fd_rights_limit(dead, FD_RIGHT_READ));
        EXPECT_STATUS(-EBADF, kairos_fd_flags(dead, 0, 0));
        EXPECT_STATUS(-EBADF, kairos_handle_from_fd(dead, KRIGHT_SAME, &handle));
        EXPECT_EQ(POLLNVAL, polled(dead));
    }
    EXPECT(!is_valid(again));
    EXPECT_EQ(77u, rights);
    EXPECT_EQ(77u, handle);
    // Its number is nobody else's before it is closed.
    const Fd other = bridge(channel.a);
    EXPECT(other != fd && other != copy);
    EXPECT_EQ(1u, channel_info(channel.a).owners_fd);
    EXPECT_STATUS(0, kairos_fd_close(fd.release()));
    EXPECT_STATUS(0, kairos_fd_close(copy.release()));
    EXPECT(gives(other, "never read by them"));
}

TEST("revoked while a thread is blocked: -ECANCELED") {
    Channel channel;
    const Fd fd = bridge(channel.a);
    char byte;
    Blocked read([&] { return kairos_fd_read(fd, &byte, 1); });
    EXPECT_STATUS(0, kairos_handle_revoke(channel.a));
    EXPECT_STATUS(-ECANCELED, read.result());
    const Pipe pipe;
    const Owned file = handle_of(pipe.out);
    const Fd derived = bridge(file);
    Blocked blocked([&] { return kairos_fd_read(derived, &byte, 1); });
    EXPECT_STATUS(0, kairos_handle_revoke(file));
    EXPECT_STATUS(-ECANCELED, blocked.result());
    EXPECT_STATUS(1, put(pipe.in, "x"));  // the pipe itself goes on
    EXPECT(gives(pipe.out, "x"));
}

// ---- In another process -------------------------------------------------------------------------

ROLE("reads a pipe that it was sent") {
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_USER0);
    Inbox inbox;
    if (inbox.receive(channel) != 1 || inbox.header.num_handles != 1) return 1;
    const Owned file(inbox.handles[0]);
    const Fd fd = bridge(file);
    char text[64];
    size_t used = 0;
    kairos_status_t got;
    while ((got = kairos_fd_read(fd, text + used, sizeof(text) - used)) > 0) {
        used += static_cast<size_t>(got);
    }
    return got == 0 && used == 12 && memcmp(text, "through here", used) == 0 ? 0 : 2;
}

TEST("a pipe's end travels as a FILE handle and becomes a descriptor elsewhere") {
    Channel channel;
    Pipe pipe;
    const Owned process =
        spawn_role("reads a pipe that it was sent", {{KAIROS_BOOT_USER0, channel.b.release()}});
    Owned file = handle_of(pipe.out);
    EXPECT_EQ(KOBJ_TYPE_FILE, info_of<kairos_info_basic>(file, KAIROS_INFO_BASIC).type);
    pipe.out.close();
    kairos_handle_t sent = file.release();
    const kairos_channel_msg message = message_of("file", 4, &sent, 1);
    REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, kForever));
    EXPECT_STATUS(7, put(pipe.in, "through"));
    EXPECT_STATUS(5, put(pipe.in, " here"));
    pipe.in.close();
    EXPECT_EQ(0, exit_code_of(process));
}

ROLE("leaves descriptors behind") {
    static const Owned port = make_port();
    for (int i = 0; i < 300; ++i) bridge(port).release();
    Pipe* pipe = new Pipe;
    pipe->in.release();
    return process_info(kairos_self_process()).fds == 305 ? 0 : 1;
}

TEST("a process that ends closes its descriptors") {
    Channel channel;
    const Owned port = make_port();
    EXPECT_EQ(0, run_role("leaves descriptors behind"));
}
