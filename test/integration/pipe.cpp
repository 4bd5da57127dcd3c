// Pipes: bytes in order, bounds, the ends of the stream, atomic writes, hostile memory.
#include "fds.h"
#include "harness.h"
#include "hostile.h"
#include "roles.h"
#include "workers.h"

namespace {

constexpr uint64_t kPipeBytes = 16384;
constexpr uint64_t kAtomic = 4096;

char pattern(uint64_t position) { return static_cast<char>(position * 31 + (position >> 8)); }

// Fills a pipe in pieces; how many bytes it took.
uint64_t fill(int fd) {
    static const char bytes[512] = {};
    uint64_t total = 0;
    REQUIRE(kairos_fd_flags(fd, 0, O_NONBLOCK) >= 0);
    kairos_status_t status;
    while ((status = kairos_fd_write(fd, bytes, sizeof(bytes))) > 0) total += 512;
    EXPECT_STATUS(-EAGAIN, status);
    REQUIRE(kairos_fd_flags(fd, O_NONBLOCK, 0) >= 0);
    return total;
}

}  // namespace

TEST("bytes come out as they went in, whatever the pieces") {
    Pipe pipe;
    constexpr uint64_t kTotal = 300'000;
    Worker writer([&] {
        static char piece[9000];
        Random random(7);
        for (uint64_t done = 0; done < kTotal;) {
            const uint64_t size =
                std::min<uint64_t>(1 + random.below(sizeof(piece)), kTotal - done);
            for (uint64_t i = 0; i < size; ++i) piece[i] = pattern(done + i);
            if (!EXPECT_STATUS(size, kairos_fd_write(pipe.in, piece, size))) break;
            done += size;
        }
        pipe.in.close();
    });
    static char piece[7000];
    Random random(8);
    uint64_t done = 0;
    kairos_status_t got;
    while ((got = kairos_fd_read(pipe.out, piece, 1 + random.below(sizeof(piece)))) > 0) {
        for (int64_t i = 0; i < got; ++i) {
            if (piece[i] != pattern(done + static_cast<uint64_t>(i))) harness::abandon();
        }
        done += static_cast<uint64_t>(got);
    }
    EXPECT_STATUS(0, got);
    EXPECT_EQ(kTotal, done);
}

TEST("bounds: as much as it holds, and not a byte more") {
    const Pipe pipe;
    char bytes[512];
    EXPECT_EQ(kPipeBytes, fill(pipe.in));
    EXPECT_EQ(0u, polled(pipe.in));
    EXPECT_EQ(POLLIN, polled(pipe.out));
    // Room for less than PIPE_BUF: not writable, but a small write goes through.
    for (int i = 0; i < 7; ++i) EXPECT_STATUS(512, kairos_fd_read(pipe.out, bytes, 512));
    EXPECT_EQ(0u, polled(pipe.in));
    EXPECT_STATUS(0, kairos_fd_flags(pipe.in, 0, O_NONBLOCK));
    static const char large[kAtomic + 1] = {};
    EXPECT_STATUS(-EAGAIN, kairos_fd_write(pipe.in, large, kAtomic));
    EXPECT_STATUS(100, kairos_fd_write(pipe.in, large, 100));
    // More than PIPE_BUF may be done in part.
    EXPECT_STATUS(7 * 512 - 100, kairos_fd_write(pipe.in, large, kAtomic + 1));
    EXPECT_STATUS(-EAGAIN, kairos_fd_write(pipe.in, large, 1));
    for (uint64_t left = kPipeBytes; left > 0; left -= 512) {
        REQUIRE_STATUS(512, kairos_fd_read(pipe.out, bytes, 512));
    }
    EXPECT_EQ(POLLOUT, polled(pipe.in));
    EXPECT_EQ(0u, polled(pipe.out));
    EXPECT_STATUS(0, kairos_fd_read(pipe.out, bytes, 0));
    EXPECT_STATUS(0, kairos_fd_write(pipe.in, bytes, 0));
}

TEST("rights: each end has its own, of descriptors and of handles") {
    const Pipe pipe;
    char byte = 0;
    EXPECT_EQ(FD_RIGHT_READ | FD_RIGHT_DUP, fd_rights(pipe.out));
    EXPECT_EQ(FD_RIGHT_WRITE | FD_RIGHT_DUP, fd_rights(pipe.in));
    EXPECT_STATUS(-EBADF, kairos_fd_read(pipe.in, &byte, 1));
    EXPECT_STATUS(-EBADF, kairos_fd_write(pipe.out, &byte, 1));
    const Owned out = handle_of(pipe.out);
    const Owned in = handle_of(pipe.in);
    const kairos_rights_t common = KRIGHT_TRANSFER | KRIGHT_DUPLICATE | KRIGHT_WAIT;
    EXPECT_EQ(KRIGHT_READ | common, rights_of(out));
    EXPECT_EQ(KRIGHT_WRITE | common, rights_of(in));
    EXPECT_STATUS(3, kairos_object_write(in, "abc", 3, 0));
    EXPECT_STATUS(-EACCES, kairos_object_write(out, "abc", 3, 0));
    char text[8];
    EXPECT_STATUS(3, kairos_object_read(out, text, sizeof(text), 0));
    EXPECT_STATUS(-EACCES, kairos_object_read(in, text, sizeof(text), 0));
    EXPECT_STATUS(-EAGAIN, kairos_object_read(out, text, sizeof(text), KCHANNEL_OPT_NONBLOCK));
    EXPECT_EQ(uint32_t{KAIROS_FILE_PIPE}, info_of<kairos_info_file>(out, KAIROS_INFO_FILE).kind);
}

TEST("the end of the stream: when the last writer has gone, and all has been read") {
    Pipe pipe;
    Fd copy(kairos_fd_dup(pipe.in, 0, 0));
    REQUIRE_STATUS(4, put(pipe.in, "rest"));
    pipe.in.close();
    EXPECT_EQ(POLLIN, polled(pipe.out));
    copy.close();
    EXPECT_EQ(POLLIN | POLLHUP, polled(pipe.out));
    EXPECT(gives(pipe.out, "rest"));
    EXPECT_EQ(POLLHUP, polled(pipe.out));
    EXPECT(gives(pipe.out, ""));
    EXPECT(gives(pipe.out, ""));
}

TEST("no reader: EPIPE, at once and for who waits") {
    {
        Pipe pipe;
        pipe.out.close();
        EXPECT_STATUS(-EPIPE, put(pipe.in, "x"));
        EXPECT_EQ(POLLERR | POLLHUP, polled(pipe.in));
    }
    Pipe pipe;
    fill(pipe.in);
    Blocked write([&] { return put(pipe.in, "x"); });
    pipe.out.close();
    EXPECT_STATUS(-EPIPE, write.result());
    // What went through before it was closed counts.
    Pipe other;
    static const char large[2 * kPipeBytes] = {};
    Blocked partial([&] { return kairos_fd_write(other.in, large, sizeof(large)); });
    other.out.close();
    EXPECT_STATUS(kPipeBytes, partial.result());
}

TEST("blocked: readers, writers, interrupts, the own end closed") {
    Pipe pipe;
    char text[16];
    {
        Blocked read([&] { return kairos_fd_read(pipe.out, text, sizeof(text)); });
        EXPECT_STATUS(2, put(pipe.in, "hi"));
        EXPECT_STATUS(2, read.result());
    }
    {
        Blocked read([&] { return kairos_fd_read(pipe.out, text, sizeof(text)); });
        read.interrupt();
        EXPECT_STATUS(-EINTR, read.result());
    }
    {
        Blocked read([&] { return kairos_fd_read(pipe.out, text, sizeof(text)); });
        const int number = pipe.out.release();
        EXPECT_STATUS(0, kairos_fd_close(number));
        EXPECT_STATUS(0, read.result());
    }
    Pipe other;
    static const char large[kPipeBytes + 1000] = {};
    Blocked write([&] { return kairos_fd_write(other.in, large, sizeof(large)); });
    write.interrupt();
    EXPECT_STATUS(kPipeBytes, write.result());
    Blocked full([&] { return put(other.in, "x"); });
    full.interrupt();
    EXPECT_STATUS(-EINTR, full.result());
}

TEST("writes up to PIPE_BUF are whole, whoever else writes") {
    Pipe pipe;
    constexpr uint32_t kRecords = 200;
    constexpr uint64_t kSizes[] = {kAtomic, 1000, 37};
    const auto write_records = [&](uint32_t who) {
        static char records[3][kAtomic];
        memset(records[who], 'a' + static_cast<int>(who), kAtomic);
        for (uint32_t i = 0; i < kRecords; ++i) {
            EXPECT_STATUS(kSizes[who], kairos_fd_write(pipe.in, records[who], kSizes[who]));
        }
    };
    Worker one([&] { write_records(0); });
    Worker two([&] { write_records(1); });
    Worker three([&] { write_records(2); });
    uint64_t total = 0;
    for (const uint64_t size : kSizes) total += size * kRecords;
    uint64_t run = 0;
    char last = 0;
    static char piece[3000];
    uint32_t broken = 0;
    for (uint64_t done = 0; done < total;) {
        const kairos_status_t got = kairos_fd_read(pipe.out, piece, sizeof(piece));
        REQUIRE(got > 0);
        for (int64_t i = 0; i < got; ++i) {
            if (piece[i] != last) {
                if (last != 0 && run % kSizes[last - 'a'] != 0) ++broken;
                last = piece[i];
                run = 0;
            }
            ++run;
        }
        done += static_cast<uint64_t>(got);
    }
    EXPECT_EQ(0u, broken);
}

TEST("bad memory: nothing is taken, nothing is put") {
    const BadPointers bad;
    const Pipe pipe;
    EXPECT_STATUS(-EFAULT, kairos_fd_write(pipe.in, bad.unreachable(), 100));
    EXPECT_STATUS(-EFAULT, kairos_fd_write(pipe.in, bad.kernel(), 100));
    EXPECT_EQ(0u, polled(pipe.out));
    REQUIRE_STATUS(5, put(pipe.in, "kept!"));
    EXPECT_STATUS(-EFAULT, kairos_fd_read(pipe.out, bad.unreachable(), 5));
    EXPECT_STATUS(-EFAULT, kairos_fd_read(pipe.out, bad.kernel(), 5));
    EXPECT(gives(pipe.out, "kept!"));
    int two[2] = {-7, -7};
    const uint32_t before = own_fds();
    EXPECT_STATUS(-EFAULT, kairos_pipe(static_cast<int*>(bad.kernel()), 0));
    EXPECT_STATUS(-EFAULT, kairos_pipe(static_cast<int*>(bad.unreachable()), 0));
    EXPECT_STATUS(-EINVAL, kairos_pipe(two, 1));
    EXPECT_EQ(-7, two[0]);
    EXPECT_EQ(before, own_fds());
}

TEST("a write that runs into bad memory: what went before it, in a large one; else nothing") {
    const BadPointers bad;
    const Pipe pipe;
    void* address = nullptr;
    const Owned memory = make_memory(2 * KAIROS_PAGE_SIZE);
    REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address, 2 * KAIROS_PAGE_SIZE,
                                 KPROT_READ | KPROT_WRITE));
    char* pages = static_cast<char*>(address);
    REQUIRE_STATUS(
        0, kairos_protect(kairos_self_aspace(), pages + KAIROS_PAGE_SIZE, KAIROS_PAGE_SIZE, 0));
    EXPECT_STATUS(-EFAULT, kairos_fd_write(pipe.in, pages + KAIROS_PAGE_SIZE - 50, 100));
    EXPECT_EQ(0u, polled(pipe.out));
    REQUIRE_STATUS(10, put(pipe.in, "0123456789"));
    // Reading stops at the bad page; the rest stays.
    EXPECT_STATUS(-EFAULT, kairos_fd_read(pipe.out, pages + KAIROS_PAGE_SIZE, 10));
    EXPECT(gives(pipe.out, "0123456789"));
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), pages, 2 * KAIROS_PAGE_SIZE));
}

TEST("ports: both ends can be bound") {
    Pipe pipe;
    const Owned port = make_port();
    {
        const Owned out = handle_of(pipe.out);
        REQUIRE_STATUS(
            0, kairos_port_bind(port, out, 5, KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED));
    }
    kairos_port_packet packet;
    EXPECT_STATUS(-EAGAIN, kairos_port_wait(port, &packet, 1, KPORT_WAIT_NONBLOCK, 0));
    REQUIRE_STATUS(1, put(pipe.in, "x"));
    EXPECT_STATUS(1, kairos_port_wait(port, &packet, 1, 0, kForever));
    EXPECT_EQ(5u, packet.key);
    EXPECT_EQ(KPORT_BIND_READABLE, packet.observed);
    pipe.in.close();
    EXPECT_STATUS(1, kairos_port_wait(port, &packet, 1, 0, kForever));
    EXPECT_EQ(KPORT_BIND_PEER_CLOSED, packet.observed & KPORT_BIND_PEER_CLOSED);
}

ROLE("exhausts itself with pipes") {
    int two[2];
    kairos_status_t status;
    while ((status = kairos_pipe(two, 0)) == 0) {}
    return status == -EDQUOT || status == -EMFILE || status == -ENOMEM ? 0 : 1;
}

TEST("pipes are charged to who makes them") {
    Owned budget;
    REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, 1 << 20, budget.out()));
    char option[] = "--role";
    char* arguments[] = {harness::program_name, option,
                         const_cast<char*>("exhausts itself with pipes"), nullptr};
    const kairos_spawn_options options = {.budget = budget, .priority_ceiling = KPRIORITY_MAX};
    Owned process;
    REQUIRE_STATUS(0, kairos_spawn_with(&options, "self", arguments, nullptr, 0, process.out()));
    EXPECT_EQ(0, exit_code_of(process));
}
