// The descriptors 0, 1 and 2, and that there are no others: descriptors are the kernel's, and this
// file is all that stands in for them.
#include <fcntl.h>
#include <kairos/kairos.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "streams.hpp"

using namespace kairos::internal;

namespace {

constexpr int kDescriptors = 3;
constinit std::atomic<bool> closed[kDescriptors];

bool is_open(int fd) { return fd >= 0 && fd < kDescriptors && !closed[fd]; }
bool is_output(int fd) { return fd == STDOUT_FILENO || fd == STDERR_FILENO; }

uint32_t place_of(int fd) { return KAIROS_BOOT_STDIN + static_cast<uint32_t>(fd); }

// An output that goes to the kernel's console.
bool is_console(int fd) {
    return is_output(fd) && kairos_bootstrap(place_of(fd)) == KAIROS_HANDLE_INVALID;
}

// As libc reports: the value, or -1 and errno.
template <typename T>
T report(kairos_status_t status) {
    if (status >= 0) return static_cast<T>(status);
    errno = static_cast<int>(-status);
    return -1;
}

uint32_t poll_output(int fd) {
    if (is_console(fd)) return KAIROS_POLLOUT;
    uint32_t ready = 0;
    const kairos_status_t status =
        kairos_object_poll(kairos_bootstrap(place_of(fd)), KAIROS_POLLOUT, &ready);
    return status < 0 ? KAIROS_POLLERR : ready;
}

short poll_one(const pollfd& entry) {
    if (!is_open(entry.fd)) return POLLNVAL;
    const uint32_t ready = is_output(entry.fd) ? poll_output(entry.fd) : poll_input();
    const auto wanted = static_cast<uint32_t>(entry.events) | POLLERR | POLLHUP;
    return static_cast<short>(ready & wanted);
}

int poll_all(pollfd* descriptors, nfds_t count) {
    int ready = 0;
    for (nfds_t i = 0; i < count; ++i) {
        descriptors[i].revents = descriptors[i].fd < 0 ? 0 : poll_one(descriptors[i]);
        if (descriptors[i].revents != 0) ++ready;
    }
    return ready;
}

constexpr uint64_t kMillisecond = 1'000'000;

}  // namespace

extern "C" {

ssize_t read(int fd, void* buffer, size_t size) {
    if (!is_open(fd) || is_output(fd)) return report<ssize_t>(-EBADF);
    return size == 0 ? 0 : report<ssize_t>(read_input(buffer, size));
}

ssize_t write(int fd, const void* bytes, size_t size) {
    if (!is_open(fd) || !is_output(fd)) return report<ssize_t>(-EBADF);
    return size == 0 ? 0 : report<ssize_t>(write_output(place_of(fd), bytes, size));
}

// The handle stays: it is the program's, as kairos_bootstrap gives it.
int close(int fd) {
    if (!is_open(fd)) return report<int>(-EBADF);
    closed[fd] = true;
    return 0;
}

off_t lseek(int fd, off_t, int) { return report<off_t>(is_open(fd) ? -ESPIPE : -EBADF); }

int isatty(int fd) {
    if (is_open(fd) && is_console(fd)) return 1;
    errno = is_open(fd) ? ENOTTY : EBADF;
    return 0;
}

int fstat(int fd, struct stat* out) {
    if (!is_open(fd)) return report<int>(-EBADF);
    *out = {};
    out->st_mode = is_console(fd) ? S_IFCHR | S_IWUSR : S_IFIFO | S_IRUSR | S_IWUSR;
    return 0;
}

int dup(int) { return report<int>(-ENOSYS); }
int dup2(int, int) { return report<int>(-ENOSYS); }
int fcntl(int, int, ...) { return report<int>(-ENOSYS); }
int pipe(int[2]) { return report<int>(-ENOSYS); }

// Looks again every millisecond: waiting for several objects at once would take their bindings to
// ports away from the program.
int poll(struct pollfd* descriptors, nfds_t count, int timeout_ms) {
    const kairos_time_t begin = kairos_clock_now();
    const kairos_time_t deadline = timeout_ms < 0
                                       ? KAIROS_TIME_INFINITE
                                       : begin + static_cast<uint64_t>(timeout_ms) * kMillisecond;
    while (true) {
        const int ready = poll_all(descriptors, count);
        const kairos_time_t now = kairos_clock_now();
        if (ready != 0 || now >= deadline) return ready;
        const kairos_time_t soon = now + kMillisecond;
        const kairos_status_t slept = kairos_sleep_until(soon < deadline ? soon : deadline);
        if (slept < 0) return report<int>(slept);
    }
}

kairos_status_t kairos_fd_from_handle(kairos_handle_t, uint32_t, int*) { return -ENOSYS; }
kairos_status_t kairos_handle_from_fd(int, kairos_rights_t, kairos_handle_t*) { return -ENOSYS; }
kairos_status_t kairos_fd_rights_get(int, uint32_t*) { return -ENOSYS; }
kairos_status_t kairos_fd_rights_limit(int, uint32_t) { return -ENOSYS; }
kairos_status_t kairos_pipe(int[2], uint32_t) { return -ENOSYS; }

}  // extern "C"
