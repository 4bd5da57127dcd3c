// Standard input and output; see the header.
#include "streams.hpp"

#include <kairos/kairos.h>
#include <kairos/sync.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>

namespace kairos::internal {

namespace {

// What is left of a message that was larger than the buffer it was read into.
struct Remainder {
    kairos_mutex lock = KAIROS_MUTEX_INIT;
    char* bytes = nullptr;  // malloc's
    size_t size = 0;
    size_t taken = 0;
};
constinit Remainder remainder;

size_t take_remainder(void* buffer, size_t size) {
    const size_t length = std::min(size, remainder.size - remainder.taken);
    if (length == 0) return 0;
    std::memcpy(buffer, remainder.bytes + remainder.taken, length);
    remainder.taken += length;
    if (remainder.taken == remainder.size) {
        free(remainder.bytes);
        remainder.bytes = nullptr;
        remainder.size = 0;
        remainder.taken = 0;
    }
    return length;
}

// Receives a message whole into the remainder, which is empty; as kairos_channel_recv. Handles that
// come along are closed.
kairos_status_t receive_remainder(kairos_handle_t input) {
    char* bytes = static_cast<char*>(malloc(KCHANNEL_MAX_MSG_BYTES));
    if (bytes == nullptr) return -ENOMEM;
    kairos_handle_t handles[KCHANNEL_MAX_MSG_HANDLES];
    kairos_channel_msg message = {.bytes = bytes,
                                  .handles = handles,
                                  .num_bytes = KCHANNEL_MAX_MSG_BYTES,
                                  .num_handles = KCHANNEL_MAX_MSG_HANDLES,
                                  .txid = 0};
    const kairos_status_t status = kairos_channel_recv(input, &message, 0, KAIROS_TIME_INFINITE);
    if (status != 1 || message.num_bytes == 0) {
        free(bytes);
    } else {
        remainder.bytes = bytes;
        remainder.size = message.num_bytes;
    }
    if (status == 1) {
        for (uint32_t i = 0; i < message.num_handles; ++i) kairos_handle_close(handles[i], 0);
    }
    return status;
}

kairos_status_t read_message(kairos_handle_t input, void* buffer, size_t size) {
    const kairos_status_t status = kairos_object_read(input, buffer, size, 0);
    if (status != -EMSGSIZE) return status;
    const kairos_status_t received = receive_remainder(input);
    if (received < 0) return received;
    return static_cast<kairos_status_t>(take_remainder(buffer, size));
}

}  // namespace

kairos_status_t read_input(void* buffer, size_t size) {
    const kairos_handle_t input = kairos_bootstrap(KAIROS_BOOT_STDIN);
    if (input == KAIROS_HANDLE_INVALID) return 0;
    kairos_mutex_lock(&remainder.lock);
    auto status = static_cast<kairos_status_t>(take_remainder(buffer, size));
    if (status == 0) status = read_message(input, buffer, size);
    kairos_mutex_unlock(&remainder.lock);
    return status;
}

uint32_t poll_input() {
    const kairos_handle_t input = kairos_bootstrap(KAIROS_BOOT_STDIN);
    if (input == KAIROS_HANDLE_INVALID) return KAIROS_POLLIN | KAIROS_POLLHUP;
    kairos_mutex_lock(&remainder.lock);
    uint32_t ready = 0;
    if (remainder.size != 0) {
        ready = KAIROS_POLLIN;
    } else if (kairos_object_poll(input, KAIROS_POLLIN, &ready) < 0) {
        ready = KAIROS_POLLERR;
    }
    kairos_mutex_unlock(&remainder.lock);
    return ready;
}

kairos_status_t write_output(uint32_t which, const void* bytes, size_t size) {
    const kairos_handle_t output = kairos_bootstrap(which);
    const char* text = static_cast<const char*>(bytes);
    if (output == KAIROS_HANDLE_INVALID) {
        const kairos_status_t status = kairos_debug_write(text, size);
        return status < 0 ? status : static_cast<kairos_status_t>(size);
    }
    size_t done = 0;
    while (done < size) {
        const size_t piece = std::min<size_t>(size - done, KCHANNEL_MAX_MSG_BYTES);
        const kairos_status_t status = kairos_object_write(output, text + done, piece, 0);
        if (status < 0) return done != 0 ? static_cast<kairos_status_t>(done) : status;
        done += piece;
    }
    return static_cast<kairos_status_t>(done);
}

}  // namespace kairos::internal
