// Packets of ports.
#pragma once

#include "owned.h"

inline constexpr uint32_t kUser0 = 1u << 8;
inline constexpr uint32_t kUser3 = 1u << 11;
inline constexpr uint32_t kUser7 = 1u << 15;

inline kairos_status_t next_packet(kairos_handle_t port, kairos_port_packet& packet,
                                   kairos_time_t deadline = KAIROS_TIME_INFINITE) {
    packet = {.key = 0xdead, .observed = 0xdead, .count = 0xdead};
    return kairos_port_wait(port, &packet, 1, 0, deadline);
}

inline kairos_status_t poll_packet(kairos_handle_t port, kairos_port_packet& packet) {
    packet = {.key = 0xdead, .observed = 0xdead, .count = 0xdead};
    return kairos_port_wait(port, &packet, 1, KPORT_WAIT_NONBLOCK, KAIROS_TIME_INFINITE);
}

inline bool expect_packet(kairos_handle_t port, uint64_t key, uint32_t observed, uint32_t count,
                          const char* file, int line) {
    kairos_port_packet packet;
    const kairos_status_t status = poll_packet(port, packet);
    if (status == 1 && packet.key == key && packet.observed == observed && packet.count == count) {
        return true;
    }
    if (status != 1) {
        harness::fail(file, line, "no packet with key %llu: %s",
                      static_cast<unsigned long long>(key), harness::text_of(status).chars);
    } else {
        harness::fail(file, line,
                      "packet key %llu observed 0x%x count %u, not key %llu observed 0x%x count %u",
                      static_cast<unsigned long long>(packet.key),
                      static_cast<unsigned>(packet.observed), static_cast<unsigned>(packet.count),
                      static_cast<unsigned long long>(key), static_cast<unsigned>(observed),
                      static_cast<unsigned>(count));
    }
    return false;
}

// The next packet, which has to be there, is this one.
#define EXPECT_PACKET(port, key, observed, count) \
    expect_packet(port, key, observed, count, __FILE__, __LINE__)
#define EXPECT_NO_PACKET(port)                                 \
    do {                                                       \
        kairos_port_packet unexpected;                         \
        EXPECT_STATUS(-EAGAIN, poll_packet(port, unexpected)); \
    } while (false)
