// poll: what is reported when, for any number of descriptors, and what ends the wait.
#include <errno.h>
#include <poll.h>

#include "fds.h"
#include "harness.h"
#include "hostile.h"
#include "packets.h"
#include "race.h"
#include "workers.h"

namespace {

pollfd entry(int fd, int events) {
    return {.fd = fd, .events = static_cast<short>(events), .revents = 0x7fff};
}

template <size_t kCount>
kairos_status_t wait_for(pollfd (&entries)[kCount], kairos_time_t deadline = kForever) {
    return kairos_fd_poll(entries, kCount, deadline);
}

}  // namespace

TEST("nothing to wait for: the time passes") {
    EXPECT_STATUS(0, kairos_fd_poll(nullptr, 0, 0));
    const kairos_time_t soon = kairos_clock_now() + 1'000'000;
    EXPECT_STATUS(0, kairos_fd_poll(nullptr, 0, soon));
    EXPECT(kairos_clock_now() >= soon);
    const Pipe pipe;
    pollfd entries[] = {entry(pipe.out, POLLIN), entry(-1, POLLIN)};
    EXPECT_STATUS(0, wait_for(entries, kairos_clock_now() + 1'000'000));
    EXPECT_EQ(0, entries[0].revents);
    EXPECT_EQ(0, entries[1].revents);
}

TEST("readiness is gated by rights") {
    Channel channel;
    REQUIRE_STATUS(0, send_text(channel.b, "x"));
    const Fd both = bridge(channel.a);
    const Fd reads(kairos_fd_dup(both, 0, 0));
    const Fd writes(kairos_fd_dup(both, 0, 0));
    REQUIRE_STATUS(0, kairos_fd_rights_limit(reads, FD_RIGHT_READ));
    REQUIRE_STATUS(0, kairos_fd_rights_limit(writes, FD_RIGHT_WRITE));
    EXPECT_EQ(POLLIN | POLLOUT, polled(both));
    EXPECT_EQ(POLLIN, polled(both, POLLIN));
    EXPECT_EQ(POLLIN, polled(reads));
    EXPECT_EQ(POLLOUT, polled(writes));
    channel.b.close();
    for (const int fd : {+both, +reads, +writes}) EXPECT_EQ(POLLHUP, polled(fd, 0) & POLLHUP);
    EXPECT_EQ(POLLHUP, polled(writes));
    // No KRIGHT_WAIT is needed: the descriptor has no such right.
    Channel other;
    const Owned narrow = duplicate(other.a, KRIGHT_READ | KRIGHT_DUPLICATE);
    EXPECT_EQ(0u, polled(bridge(narrow)));
}

TEST("what is no descriptor") {
    const Pipe pipe;
    pollfd entries[] = {entry(900, POLLIN), entry(-1, POLLIN), entry(INT32_MIN, POLLOUT),
                        entry(KFD_MAX_PER_PROCESS, 0), entry(pipe.out, POLLIN)};
    EXPECT_STATUS(2, wait_for(entries));
    EXPECT_EQ(POLLNVAL, entries[0].revents);
    EXPECT_EQ(0, entries[1].revents);
    EXPECT_EQ(0, entries[2].revents);
    EXPECT_EQ(POLLNVAL, entries[3].revents);
    EXPECT_EQ(0, entries[4].revents);
}

TEST("several descriptors of one port, in several polls, are all told") {
    const Owned port = make_port();
    const Fd fd = bridge(port);
    const Fd copy(kairos_fd_dup(fd, 0, 0));
    const auto poll_two = [&] {
        pollfd entries[] = {entry(fd, POLLIN), entry(copy, POLLIN)};
        const kairos_status_t status = wait_for(entries);
        return status == 2 && entries[0].revents == POLLIN && entries[1].revents == POLLIN ? status
                                                                                           : -EIO;
    };
    Blocked one(poll_two);
    Blocked two(poll_two);
    Blocked three(poll_two);
    const kairos_port_packet packet = {1, 2, 3};
    REQUIRE_STATUS(0, kairos_port_queue(port, &packet));
    EXPECT_STATUS(2, one.result());
    EXPECT_STATUS(2, two.result());
    EXPECT_STATUS(2, three.result());
}

TEST("the same descriptor a thousand times") {
    const Pipe pipe;
    static pollfd entries[1000];
    for (pollfd& one : entries) one = entry(pipe.out, POLLIN);
    Blocked all([] { return kairos_fd_poll(entries, 1000, kForever); });
    Blocked another([] {
        static pollfd others[1000];
        memcpy(others, entries, sizeof(others));
        return kairos_fd_poll(others, 1000, kForever);
    });
    REQUIRE_STATUS(1, put(pipe.in, "x"));
    EXPECT_STATUS(1000, all.result());
    EXPECT_STATUS(1000, another.result());
    for (const pollfd& one : entries) EXPECT_EQ(POLLIN, one.revents);
}

TEST("more descriptors than a process may have, all different kinds") {
    constexpr uint32_t kEntries = 3000;
    static pollfd entries[kEntries];
    Channel channel;
    const Fd fd = bridge(channel.a);
    const Owned port = make_port();
    const Fd port_fd = bridge(port);
    const Pipe pipe;
    const int kinds[] = {fd, port_fd, pipe.out, -1};
    for (uint32_t i = 0; i < kEntries; ++i) entries[i] = entry(kinds[i % 4], POLLIN);
    Blocked all([] { return kairos_fd_poll(entries, kEntries, kForever); });
    REQUIRE_STATUS(0, send_text(channel.b, "x"));
    EXPECT_STATUS(kEntries / 4, all.result());
    for (uint32_t i = 0; i < kEntries; ++i) {
        if (!EXPECT_EQ(i % 4 == 0 ? POLLIN : 0, entries[i].revents)) break;
    }
}

TEST("what ends it: an event, a peer, an interrupt, the time") {
    {
        Channel channel;
        const Fd fd = bridge(channel.a);
        Blocked poll([&] {
            pollfd entries[] = {entry(fd, POLLIN)};
            const kairos_status_t status = wait_for(entries);
            return status == 1 ? entries[0].revents : status;
        });
        channel.b.close();
        EXPECT_STATUS(POLLHUP, poll.result());
    }
    Channel channel;
    const Fd fd = bridge(channel.a);
    const uint32_t queued = fill_queue(channel.a);
    Blocked room([&] {
        pollfd entries[] = {entry(fd, POLLOUT)};
        const kairos_status_t status = wait_for(entries);
        return status == 1 ? entries[0].revents : status;
    });
    EXPECT_EQ(queued, drain_queue(channel.b));
    EXPECT_STATUS(POLLOUT, room.result());
    Blocked interrupted([&] {
        pollfd entries[] = {entry(fd, POLLIN)};
        return wait_for(entries);
    });
    interrupted.interrupt();
    EXPECT_STATUS(-EINTR, interrupted.result());
}

TEST("a descriptor that is closed, or replaced, or revoked, while it is polled: POLLNVAL") {
    for (int how = 0; how < 3; ++how) {
        Channel channel;  // the handle goes on
        Fd fd = bridge(channel.a);
        const Pipe other;
        Blocked poll([&] {
            pollfd entries[] = {entry(other.out, POLLIN), entry(fd, POLLIN)};
            const kairos_status_t status = wait_for(entries);
            return status == 1 && entries[0].revents == 0 ? entries[1].revents : -EIO;
        });
        if (how == 0) {
            kairos_fd_close(fd.release());
        } else if (how == 1) {
            EXPECT_STATUS(fd, kairos_fd_dup2(other.out, fd, 0));
        } else {
            EXPECT_STATUS(0, kairos_handle_revoke(channel.a));
        }
        EXPECT_STATUS(POLLNVAL, poll.result());
    }
}

TEST("a descriptor that was the last owner, closed while it is polled") {
    Channel channel;
    Fd fd = bridge(channel.a);
    channel.a.close();
    Blocked poll([number = +fd] {
        pollfd entries[] = {entry(number, POLLIN)};
        const kairos_status_t status = wait_for(entries);
        return status == 1 ? entries[0].revents : status;
    });
    fd.close();
    EXPECT_STATUS(POLLNVAL, poll.result());
    EXPECT_EQ(POLLHUP, ready(channel.b, 0));
}

TEST("bad entries") {
    const BadPointers bad;
    const Pipe pipe;
    EXPECT_STATUS(-EFAULT, kairos_fd_poll(static_cast<pollfd*>(bad.kernel()), 1, 0));
    EXPECT_STATUS(-EFAULT, kairos_fd_poll(static_cast<pollfd*>(bad.unreachable()), 1, 0));
    pollfd one = entry(pipe.out, POLLIN);
    EXPECT_STATUS(-EFAULT, kairos_fd_poll(&one, uint64_t{1} << 60, 0));
    EXPECT_STATUS(-EFAULT, kairos_fd_poll(&one, ~uint64_t{0}, 0));
}

TEST("poll of libc") {
    const Pipe pipe;
    pollfd one = entry(pipe.out, POLLIN);
    EXPECT_EQ(0, poll(&one, 1, 0));
    EXPECT_EQ(0, poll(&one, 1, 1));
    REQUIRE_STATUS(1, put(pipe.in, "x"));
    EXPECT_EQ(1, poll(&one, 1, -1));
    EXPECT_EQ(POLLIN, one.revents);
    errno = 0;
    EXPECT_EQ(-1, poll(reinterpret_cast<pollfd*>(8), 1, 0));
    EXPECT_EQ(EFAULT, errno);
}

// ---- Races --------------------------------------------------------------------------------------

TEST("race: an event against a poll that is about to sleep") {
    Rival rival;
    const Pipe pipe;
    Channel channel;
    const Fd fd = bridge(channel.a);
    for (int round = 0; round < 300; ++round) {
        kairos_status_t status = 0;
        rival.race(
            [&] {
                pollfd entries[] = {entry(pipe.out, POLLIN), entry(fd, POLLIN)};
                status = wait_for(entries);
            },
            [&] {
                if (round % 2 == 0) {
                    put(pipe.in, "x");
                } else {
                    send_text(channel.b, "x");
                }
            },
            [] {});
        if (!EXPECT_STATUS(1, status)) break;
        char byte;
        if (round % 2 == 0) kairos_fd_read(pipe.out, &byte, 1);
        drain_queue(channel.a);
    }
}

TEST("race: closing against poll, read, dup and the way back") {
    Rival rival;
    for (int round = 0; round < 400; ++round) {
        Channel channel;
        Fd fd = bridge(channel.a);
        const int number = fd.release();
        if (round % 2 == 0) channel.a.close();
        kairos_status_t status = -1;
        Owned handle;
        rival.race(
            [&] {
                char byte;
                pollfd entries[] = {entry(number, POLLIN)};
                switch (round % 4) {
                    case 0:
                        status = wait_for(entries);
                        break;
                    case 1:
                        status = kairos_fd_read(number, &byte, 1);
                        break;
                    case 2:
                        status = kairos_fd_dup(number, 0, 0);
                        break;
                    default:
                        status = kairos_handle_from_fd(number, KRIGHT_SAME, handle.out());
                        break;
                }
            },
            [&] { EXPECT_STATUS(0, kairos_fd_close(number)); }, [&] { channel.a.close(); });
        switch (round % 4) {
            case 0:
                EXPECT_STATUS(1, status);
                break;
            case 1:
                EXPECT_ONE_OF(ANY(0, -EBADF), status);
                break;
            case 2:
                if (status >= 0) kairos_fd_close(static_cast<int>(status));
                EXPECT(status == number || status > 2 || status == -EBADF);
                break;
            default:
                EXPECT_ONE_OF(ANY(0, -EBADF), status);
                handle.close();
                break;
        }
        EXPECT_EQ(POLLHUP, ready(channel.b, 0));
    }
}

TEST("race: two dup2 onto one number") {
    Rival rival;
    const Pipe one;
    const Pipe two;
    for (int round = 0; round < 300; ++round) {
        kairos_status_t theirs = 0;
        kairos_status_t ours = 0;
        rival.race([&] { theirs = kairos_fd_dup2(one.out, 500, 0); },
                   [&] { ours = kairos_fd_dup2(two.out, 500, 0); }, [] {});
        EXPECT_STATUS(500, theirs);
        EXPECT_STATUS(500, ours);
        EXPECT_STATUS(0, kairos_fd_close(500));
        EXPECT_STATUS(-EBADF, kairos_fd_close(500));
    }
}

TEST("race: revoking against what descriptors do") {
    Rival rival;
    for (int round = 0; round < 300; ++round) {
        Channel channel;
        const Fd fd = bridge(channel.a);
        kairos_status_t status = 1;
        rival.race(
            [&] {
                char byte;
                pollfd entries[] = {entry(fd, POLLIN)};
                if (round % 3 == 0) status = kairos_fd_read(fd, &byte, 1);
                if (round % 3 == 1) status = wait_for(entries);
                if (round % 3 == 2) {
                    status = kairos_fd_dup(fd, 0, 0);
                    if (status >= 0) kairos_fd_close(static_cast<int>(status));
                }
            },
            [&] { EXPECT_STATUS(0, kairos_handle_revoke(channel.a)); }, [] {});
        if (round % 3 == 0) EXPECT_ONE_OF(ANY(-EBADF, -ECANCELED), status);
        if (round % 3 == 1) EXPECT_STATUS(1, status);
        EXPECT_EQ(POLLNVAL, polled(fd));
        EXPECT_EQ(0u, info_of<kairos_info_channel>(channel.a, KAIROS_INFO_CHANNEL).owners_fd);
    }
}
