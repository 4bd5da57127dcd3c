// The standard streams; see the header.
#include "streams.hpp"

#include <kairos/kairos.h>
#include <kairos/sync.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>

namespace kairos::internal {

namespace {

constexpr int kStreams = 3;

// What is left of a message that was larger than the buffer it was read into.
struct Remainder {
    kairos_mutex lock = KAIROS_MUTEX_INIT;
    bool stream = true;     // descriptor 0 is still the one that the program began with
    char* bytes = nullptr;  // malloc's
    size_t size = 0;
    size_t taken = 0;

    void drop() {
        free(bytes);
        bytes = nullptr;
        size = 0;
        taken = 0;
    }
};
constinit Remainder remainder;

class Locked {
  public:
    Locked() { kairos_mutex_lock(&remainder.lock); }
    ~Locked() { kairos_mutex_unlock(&remainder.lock); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
};

size_t take_remainder(void* buffer, size_t size) {
    const size_t length = std::min(size, remainder.size - remainder.taken);
    if (length == 0) return 0;
    std::memcpy(buffer, remainder.bytes + remainder.taken, length);
    remainder.taken += length;
    if (remainder.taken == remainder.size) remainder.drop();
    return length;
}

// Keeps what is behind the first `taken` of `bytes`, malloc's, for later reads.
void keep_rest(char* bytes, size_t size, size_t taken) {
    const Locked locked;
    if (!remainder.stream || taken == size) {
        free(bytes);
    } else if (remainder.bytes == nullptr) {
        remainder.bytes = bytes;
        remainder.size = size;
        remainder.taken = taken;
    } else {  // two threads have read at once
        const size_t rest = size - taken;
        char* joined = static_cast<char*>(realloc(remainder.bytes, remainder.size + rest));
        if (joined != nullptr) {
            std::memcpy(joined + remainder.size, bytes + taken, rest);
            remainder.bytes = joined;
            remainder.size += rest;
        }
        free(bytes);
    }
}

// Reads a message that is larger than `size`.
kairos_status_t read_part(void* buffer, size_t size) {
    char* bytes = static_cast<char*>(malloc(KCHANNEL_MAX_MSG_BYTES));
    if (bytes == nullptr) return -ENOMEM;
    const kairos_status_t length = kairos_fd_read(0, bytes, KCHANNEL_MAX_MSG_BYTES);
    if (length <= 0) {
        free(bytes);
        return length;
    }
    const size_t taken = std::min(size, static_cast<size_t>(length));
    std::memcpy(buffer, bytes, taken);
    keep_rest(bytes, static_cast<size_t>(length), taken);
    return static_cast<kairos_status_t>(taken);
}

// A descriptor of what was given for the place, or of the console; negative if that fails.
kairos_status_t open_stream(int number, int& console) {
    const kairos_handle_t given =
        kairos_bootstrap(KAIROS_BOOT_STDIN + static_cast<uint32_t>(number));
    if (given != KAIROS_HANDLE_INVALID) {
        int fd;
        const kairos_status_t status = kairos_fd_from_handle(given, 0, &fd);
        return status < 0 ? status : fd;
    }
    const kairos_status_t fd = console < 0 ? kairos_fd_console(0) : kairos_fd_dup(console, 0, 0);
    if (fd >= 0) console = static_cast<int>(fd);
    return fd;
}

}  // namespace

void open_standard_streams() {
    int console = -1;
    for (int i = 0; i < kStreams; ++i) {
        if (open_stream(i, console) >= 0) continue;
        // The number is taken all the same, lest another file comes to stand here.
        const kairos_status_t nothing = kairos_fd_console(0);
        if (nothing >= 0) kairos_fd_rights_limit(static_cast<int>(nothing), FD_RIGHT_DUP);
    }
}

kairos_status_t read_input(void* buffer, size_t size) {
    bool stream;
    {
        const Locked locked;
        const size_t left = take_remainder(buffer, size);
        if (left != 0) return static_cast<kairos_status_t>(left);
        stream = remainder.stream;
    }
    const kairos_status_t status = kairos_fd_read(0, buffer, size);
    return status == -EMSGSIZE && stream && size != 0 ? read_part(buffer, size) : status;
}

bool input_left_over() {
    const Locked locked;
    return remainder.size != 0;
}

void forget_input() {
    const Locked locked;
    remainder.stream = false;
    remainder.drop();
}

}  // namespace kairos::internal
