// Descriptors as libc has them: the kernel's, with errno; those that are files (open_files.hpp) are
// their server's to read and write.
#include <fcntl.h>
#include <kairos/kairos.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kairos/handle.hpp>

#include "open_files.hpp"
#include "streams.hpp"
#include "terminal.hpp"

using namespace kairos::internal;

static_assert(O_NONBLOCK == KFD_NONBLOCK && O_CLOEXEC == KFD_CLOEXEC);
static_assert(sizeof(pollfd) == sizeof(kairos_poll_entry));

namespace {

constexpr uint64_t kMillisecond = 1'000'000;

// As libc reports: the value, or -1 and errno.
template <typename T>
T report(kairos_status_t status) {
    if (status >= 0) return static_cast<T>(status);
    errno = static_cast<int>(-status);
    return -1;
}

// What a descriptor is, for isatty and fstat.
struct Nature {
    uint32_t type;  // KOBJ_TYPE_*
    bool console;
    mode_t access;
};

kairos_status_t find_nature(int fd, Nature& nature) {
    uint32_t rights;
    kairos_status_t status = kairos_fd_rights_get(fd, &rights);
    if (status < 0) return status;
    nature.access = ((rights & FD_RIGHT_READ) != 0 ? S_IRUSR : 0) |
                    ((rights & FD_RIGHT_WRITE) != 0 ? S_IWUSR : 0);
    kairos_handle_t raw;
    status = kairos_handle_from_fd(fd, KRIGHT_SAME, &raw);
    if (status < 0) return status;
    const kairos::Handle handle(raw);
    kairos_info_basic basic;
    status = kairos_object_info(raw, KAIROS_INFO_BASIC, &basic, sizeof(basic));
    if (status < 0) return status;
    nature.type = basic.type;
    kairos_info_file file = {};
    if (basic.type == KOBJ_TYPE_FILE) {
        status = kairos_object_info(raw, KAIROS_INFO_FILE, &file, sizeof(file));
    }
    nature.console = file.kind == KAIROS_FILE_CONSOLE ||
                     (basic.type == KOBJ_TYPE_CHANNEL && leads_to_console(raw));
    return status < 0 ? status : 0;
}

// What F_GETFL says of a descriptor: its flags, and how it may be used.
kairos_status_t status_flags(int fd) {
    uint32_t rights;
    const kairos_status_t status = kairos_fd_rights_get(fd, &rights);
    if (status < 0) return status;
    const kairos_status_t flags = kairos_fd_flags(fd, 0, 0);
    if (flags < 0) return flags;
    const bool reads = (rights & FD_RIGHT_READ) != 0;
    const bool writes = (rights & FD_RIGHT_WRITE) != 0;
    const int access = reads && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY;
    const OpenFileReference file = find_open_file(fd);
    return (flags & O_NONBLOCK) | access | (file ? file->flags() & O_APPEND : 0);
}

// What is ready whatever the kernel knows of the descriptor: files, always, and what was received
// and not read yet.
short ready_in_libc(const pollfd& one) {
    if (find_open_file(one.fd)) return static_cast<short>(one.events & (POLLIN | POLLOUT));
    return one.fd == STDIN_FILENO && input_left_over() ? static_cast<short>(one.events & POLLIN)
                                                       : short{0};
}

kairos_status_t set_flag(int fd, uint32_t flag, bool on) {
    const kairos_status_t before = kairos_fd_flags(fd, on ? 0 : flag, on ? flag : 0);
    return before < 0 ? before : 0;
}

kairos_status_t close_on_exec(int fd) {
    const kairos_status_t flags = kairos_fd_flags(fd, 0, 0);
    return flags < 0 ? flags : (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
}

kairos_status_t duplicate_from(int fd, int from, uint32_t flags) {
    return from < 0 ? -EINVAL : duplicate_descriptor(fd, static_cast<uint32_t>(from), flags);
}

kairos_status_t control(int fd, int command, int argument) {
    switch (command) {
        case F_DUPFD:
            return duplicate_from(fd, argument, 0);
        case F_DUPFD_CLOEXEC:
            return duplicate_from(fd, argument, O_CLOEXEC);
        case F_GETFD:
            return close_on_exec(fd);
        case F_SETFD:
            return set_flag(fd, O_CLOEXEC, (argument & FD_CLOEXEC) != 0);
        case F_GETFL:
            return status_flags(fd);
        case F_SETFL:
            return set_flag(fd, O_NONBLOCK, (argument & O_NONBLOCK) != 0);
        default:
            return -EINVAL;
    }
}

}  // namespace

extern "C" {

ssize_t read(int fd, void* buffer, size_t size) {
    if (const OpenFileReference file = find_open_file(fd)) {
        return report<ssize_t>(file->read(buffer, size));
    }
    return report<ssize_t>(fd == STDIN_FILENO ? read_input(buffer, size)
                                              : kairos_fd_read(fd, buffer, size));
}

ssize_t write(int fd, const void* bytes, size_t size) {
    if (const OpenFileReference file = find_open_file(fd)) {
        return report<ssize_t>(file->write(bytes, size));
    }
    return report<ssize_t>(kairos_fd_write(fd, bytes, size));
}

int close(int fd) {
    if (fd == STDIN_FILENO) forget_input();
    return report<int>(close_descriptor(fd));
}

off_t lseek(int fd, off_t offset, int whence) {
    if (const OpenFileReference file = find_open_file(fd)) {
        return report<off_t>(file->seek(offset, whence));
    }
    uint32_t rights;
    const kairos_status_t status = kairos_fd_rights_get(fd, &rights);
    return report<off_t>(status < 0 ? status : -ESPIPE);
}

int isatty(int fd) {
    Nature nature;
    if (find_nature(fd, nature) < 0) return report<int>(-EBADF) == 0;
    if (nature.console && !find_open_file(fd)) return 1;
    errno = ENOTTY;
    return 0;
}

int fstat(int fd, struct stat* out) {
    if (const OpenFileReference file = find_open_file(fd)) {
        return report<int>(file->stat(*out));
    }
    Nature nature;
    const kairos_status_t status = find_nature(fd, nature);
    if (status < 0) return report<int>(status);
    *out = {};
    out->st_mode = (nature.console ? S_IFCHR : S_IFIFO) | nature.access;
    return 0;
}

int dup(int fd) { return report<int>(duplicate_descriptor(fd, 0, 0)); }

int dup2(int fd, int to) {
    const kairos_status_t status = duplicate_descriptor_to(fd, to);
    if (status == STDIN_FILENO && fd != to) forget_input();
    return report<int>(status);
}

int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    const int argument = va_arg(arguments, int);  // whatever it is where there is none
    va_end(arguments);
    return report<int>(control(fd, command, argument));
}

int pipe(int fds[2]) { return report<int>(kairos_pipe(fds, 0)); }

int poll(struct pollfd* descriptors, nfds_t count, int timeout_ms) {
    const kairos_time_t deadline =
        timeout_ms < 0 ? KAIROS_TIME_INFINITE
                       : kairos_clock_now() + static_cast<uint64_t>(timeout_ms) * kMillisecond;
    if (!any_open_files() && !input_left_over()) {
        return report<int>(kairos_fd_poll(descriptors, count, deadline));
    }
    kairos_status_t ready = kairos_fd_poll(descriptors, count, 0);
    for (nfds_t i = 0; i < count && ready >= 0; ++i) {
        pollfd& one = descriptors[i];
        const short more = static_cast<short>(ready_in_libc(one) & ~one.revents);
        if (more != 0 && one.revents == 0) ++ready;
        one.revents = static_cast<short>(one.revents | more);
    }
    return ready == 0 ? report<int>(kairos_fd_poll(descriptors, count, deadline))
                      : report<int>(ready);
}

}  // extern "C"
