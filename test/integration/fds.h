// Descriptors that close themselves, as Owned does with handles.
#pragma once

#include <kairos/fd.h>

#include "messages.h"
#include "owned.h"

class Fd {
  public:
    Fd() = default;
    explicit Fd(kairos_status_t number) : number_(static_cast<int>(number)) {
        REQUIRE(number >= 0);
    }
    Fd(Fd&& other) noexcept : number_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept {
        close();
        number_ = other.release();
        return *this;
    }
    ~Fd() { close(); }

    operator int() const { return number_; }
    int release() { return std::exchange(number_, -1); }
    void close() {
        const int number = release();
        if (number >= 0) kairos_fd_close(number);
    }

  private:
    int number_ = -1;
};

inline Fd bridge(kairos_handle_t handle, uint32_t flags = 0) {
    int fd = -1;
    REQUIRE_STATUS(0, kairos_fd_from_handle(handle, flags, &fd));
    return Fd(fd);
}

inline Owned handle_of(int fd, kairos_rights_t rights = KRIGHT_SAME) {
    Owned handle;
    REQUIRE_STATUS(0, kairos_handle_from_fd(fd, rights, handle.out()));
    return handle;
}

struct Pipe {
    explicit Pipe(uint32_t flags = 0) {
        int fds[2];
        REQUIRE_STATUS(0, kairos_pipe(fds, flags));
        out = Fd(fds[0]);
        in = Fd(fds[1]);
    }
    Fd out;  // to read from
    Fd in;   // to write to
};

inline uint32_t fd_rights(int fd) {
    uint32_t rights = 0;
    REQUIRE_STATUS(0, kairos_fd_rights_get(fd, &rights));
    return rights;
}

inline bool is_open(int fd) {
    uint32_t rights;
    return kairos_fd_rights_get(fd, &rights) == 0;
}

inline uint32_t own_fds() { return process_info(kairos_self_process()).fds; }

inline kairos_status_t put(int fd, const char* text) {
    return kairos_fd_write(fd, text, strlen(text));
}

// Reads once, and whether that was `text`.
inline bool gives(int fd, const char* text) {
    static constexpr size_t kRoom = 256;
    char bytes[kRoom];
    const kairos_status_t got = kairos_fd_read(fd, bytes, kRoom);
    return got == static_cast<kairos_status_t>(strlen(text)) &&
           memcmp(bytes, text, strlen(text)) == 0;
}

// What is ready of one descriptor now.
inline uint32_t polled(int fd, int events = POLLIN | POLLOUT) {
    pollfd entry = {.fd = fd, .events = static_cast<short>(events), .revents = 0x7fff};
    const kairos_status_t ready = kairos_fd_poll(&entry, 1, 0);
    REQUIRE_STATUS(entry.revents != 0 ? 1 : 0, ready);
    return static_cast<uint32_t>(entry.revents);
}
