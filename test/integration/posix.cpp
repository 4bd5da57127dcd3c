// Descriptors as libc has them: errno, what they are, and programs that know nothing else.
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fds.h"
#include "harness.h"
#include "roles.h"
#include "workers.h"

#define EXPECT_ERRNO(number, call)      \
    do {                                \
        errno = 0;                      \
        EXPECT_EQ(-1, (int64_t)(call)); \
        EXPECT_EQ(number, errno);       \
    } while (false)

TEST("read, write, close, dup: errno as POSIX has it") {
    int fds[2];
    REQUIRE_EQ(0, pipe(fds));
    char bytes[8];
    EXPECT_EQ(5, write(fds[1], "hello", 5));
    EXPECT_EQ(3, read(fds[0], bytes, 3));
    EXPECT_ERRNO(EBADF, read(fds[1], bytes, 1));
    EXPECT_ERRNO(EBADF, write(fds[0], bytes, 1));
    EXPECT_ERRNO(EBADF, read(-1, bytes, 1));
    EXPECT_ERRNO(EBADF, close(777));
    EXPECT_ERRNO(EBADF, dup(777));
    EXPECT_ERRNO(EBADF, dup2(fds[0], -1));
    EXPECT_ERRNO(EFAULT, read(fds[0], reinterpret_cast<void*>(8), 1));
    EXPECT_ERRNO(ESPIPE, lseek(fds[0], 0, SEEK_SET));
    EXPECT_ERRNO(EBADF, lseek(777, 0, SEEK_SET));
    const int copy = dup(fds[0]);
    EXPECT(copy > fds[1]);
    EXPECT_EQ(0, close(fds[0]));
    EXPECT_EQ(2, read(copy, bytes, sizeof(bytes)));
    EXPECT_EQ(fds[0], dup2(copy, fds[0]));
    EXPECT_EQ(0, close(copy));
    EXPECT_EQ(0, close(fds[0]));
    EXPECT_ERRNO(EPIPE, write(fds[1], "x", 1));
    EXPECT_EQ(0, close(fds[1]));
}

TEST("fcntl") {
    int fds[2];
    REQUIRE_EQ(0, pipe(fds));
    EXPECT_EQ(O_RDONLY, fcntl(fds[0], F_GETFL));
    EXPECT_EQ(O_WRONLY, fcntl(fds[1], F_GETFL));
    EXPECT_EQ(0, fcntl(fds[0], F_SETFL, O_NONBLOCK));
    EXPECT_EQ(O_NONBLOCK, fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    char byte;
    EXPECT_ERRNO(EAGAIN, read(fds[0], &byte, 1));
    EXPECT_EQ(0, fcntl(fds[0], F_GETFD));
    EXPECT_EQ(0, fcntl(fds[0], F_SETFD, FD_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fds[0], F_GETFD));
    const int copy = fcntl(fds[0], F_DUPFD, 40);
    EXPECT_EQ(40, copy);
    EXPECT_EQ(0, fcntl(copy, F_GETFD));
    EXPECT_ERRNO(EINVAL, fcntl(fds[0], F_DUPFD, -1));
    EXPECT_ERRNO(EINVAL, fcntl(fds[0], 999));
    EXPECT_ERRNO(EBADF, fcntl(777, F_GETFL));
    for (const int fd : {copy, fds[0], fds[1]}) EXPECT_EQ(0, close(fd));
}

TEST("isatty and fstat say what a descriptor is") {
    EXPECT_EQ(1, isatty(STDOUT_FILENO));  // the kernel's console, here
    struct stat status;
    REQUIRE_EQ(0, fstat(STDOUT_FILENO, &status));
    EXPECT(S_ISCHR(status.st_mode));
    const Pipe pipe;
    EXPECT_EQ(0, isatty(pipe.out));
    EXPECT_EQ(ENOTTY, errno);
    REQUIRE_EQ(0, fstat(pipe.out, &status));
    EXPECT(S_ISFIFO(status.st_mode));
    EXPECT_EQ(S_IRUSR, status.st_mode & (S_IRUSR | S_IWUSR));
    EXPECT_ERRNO(EBADF, fstat(777, &status));
    errno = 0;
    EXPECT_EQ(0, isatty(777));
    EXPECT_EQ(EBADF, errno);
}

TEST("the standard streams of a program that was given none: nothing to read, a console to write") {
    char byte;
    EXPECT_EQ(0, read(STDIN_FILENO, &byte, 1));
    EXPECT_ERRNO(EBADF, close(777));
    EXPECT_EQ(3, dup(STDOUT_FILENO));
    EXPECT_EQ(0, close(3));
}

// Knows stdio only.
ROLE("shouts what it reads") {
    char line[100];
    while (fgets(line, sizeof(line), stdin) != nullptr) {
        for (char* at = line; *at != 0; ++at) *at = static_cast<char>(toupper(*at));
        if (fputs(line, stdout) == EOF) return 3;
    }
    return fflush(stdout) == 0 && feof(stdin) ? 0 : 2;
}

TEST("a program between two pipes, which knows nothing of them") {
    Pipe in;
    Pipe out;
    const Owned process =
        spawn_role("shouts what it reads", {{KAIROS_BOOT_STDIN, handle_of(in.out).release()},
                                            {KAIROS_BOOT_STDOUT, handle_of(out.in).release()}});
    in.out.close();
    out.in.close();
    EXPECT_STATUS(8, put(in.in, "one\ntwo\n"));
    EXPECT_STATUS(5, put(in.in, "three"));
    in.in.close();
    char text[64];
    size_t used = 0;
    ssize_t got;
    while ((got = read(out.out, text + used, sizeof(text) - used)) > 0) {
        used += static_cast<size_t>(got);
    }
    EXPECT_EQ(0, got);
    EXPECT_EQ(13u, used);
    EXPECT_EQ(0, memcmp(text, "ONE\nTWO\nTHREE", used));
    EXPECT_EQ(0, exit_code_of(process));
}

TEST("a program between two channels: lines longer than its buffer are not lost") {
    Channel in;
    Channel out;
    const Owned process =
        spawn_role("shouts what it reads",
                   {{KAIROS_BOOT_STDIN, in.b.release()}, {KAIROS_BOOT_STDOUT, out.b.release()}});
    static char line[3001];
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 2] = '\n';
    REQUIRE_STATUS(sizeof(line) - 1, kairos_object_write(in.a, line, sizeof(line) - 1, 0));
    REQUIRE_STATUS(4, kairos_object_write(in.a, "end\n", 4, 0));
    in.a.close();
    static char text[4096];
    size_t used = 0;
    kairos_status_t got;
    while ((got = kairos_object_read(out.a, text + used, sizeof(text) - used, 0)) > 0) {
        used += static_cast<size_t>(got);
    }
    EXPECT_EQ(sizeof(line) - 1 + 4, used);
    EXPECT_EQ('X', text[0]);
    EXPECT_EQ(0, memcmp(text + used - 5, "\nEND\n", 5));
    EXPECT_EQ(0, exit_code_of(process));
}

ROLE("closes its input, and reads another") {
    int fds[2];
    if (close(STDIN_FILENO) != 0 || pipe(fds) != 0) return 1;
    if (fds[0] != STDIN_FILENO) return 2;
    if (write(fds[1], "through the pipe\n", 17) != 17 || close(fds[1]) != 0) return 3;
    char line[64];
    if (fgets(line, sizeof(line), stdin) == nullptr) return 4;
    return strcmp(line, "through the pipe\n") == 0 ? 0 : 5;
}

TEST("descriptor 0 is as good as any other") {
    EXPECT_EQ(0, run_role("closes its input, and reads another"));
}
