// Handles that close themselves, and the objects that most cases begin with. Whoever makes one here
// relies on the call: a failure ends the case.
#pragma once

#include <utility>

#include "report.h"

class Owned {
  public:
    Owned() = default;
    explicit Owned(kairos_handle_t value) : value_(value) {}
    Owned(Owned&& other) noexcept : value_(other.release()) {}
    Owned& operator=(Owned&& other) noexcept {
        close();
        value_ = other.release();
        return *this;
    }
    ~Owned() { close(); }

    operator kairos_handle_t() const { return value_; }
    // Where a call puts a new handle; what was here before is closed.
    kairos_handle_t* out() {
        close();
        return &value_;
    }
    // Nobody closes it any more: it was moved away, or is gone.
    kairos_handle_t release() { return std::exchange(value_, KAIROS_HANDLE_INVALID); }
    void close() {
        const kairos_handle_t value = release();
        if (value != KAIROS_HANDLE_INVALID) kairos_handle_close(value, 0);
    }

  private:
    kairos_handle_t value_ = KAIROS_HANDLE_INVALID;
};

struct Channel {
    Channel() { REQUIRE_STATUS(0, kairos_channel_create(0, a.out(), b.out())); }
    Owned a;
    Owned b;
};

inline Owned make_event() {
    Owned event;
    REQUIRE_STATUS(0, kairos_event_create(event.out()));
    return event;
}

inline Owned make_port(uint32_t flags = 0) {
    Owned port;
    REQUIRE_STATUS(0, kairos_port_create(flags, port.out()));
    return port;
}

inline Owned make_timer() {
    Owned timer;
    REQUIRE_STATUS(0, kairos_timer_create(timer.out()));
    return timer;
}

inline Owned make_memory(uint64_t size = KAIROS_PAGE_SIZE) {
    Owned memory;
    REQUIRE_STATUS(0, kairos_memory_create(size, 0, memory.out()));
    return memory;
}

inline Owned duplicate(kairos_handle_t handle, kairos_rights_t rights = KRIGHT_SAME) {
    Owned copy;
    REQUIRE_STATUS(0, kairos_handle_duplicate(handle, rights, copy.out()));
    return copy;
}

inline kairos_rights_t rights_of(kairos_handle_t handle) {
    kairos_rights_t rights = 0;
    REQUIRE_STATUS(0, kairos_cap_rights_get(handle, &rights));
    return rights;
}

// A duplicate that has all rights of `handle` but `missing`.
inline Owned without(kairos_handle_t handle, kairos_rights_t missing) {
    return duplicate(handle, rights_of(handle) & ~missing);
}

// The value of a handle that has been closed.
inline kairos_handle_t closed_handle() { return make_event(); }

inline bool is_valid(kairos_handle_t handle) {
    kairos_rights_t rights = 0;
    return kairos_cap_rights_get(handle, &rights) == 0;
}

// ---- What objects say
// ----------------------------------------------------------------------------

template <typename T>
T info_of(kairos_handle_t handle, uint32_t topic) {
    T info{};
    REQUIRE_STATUS(sizeof(info), kairos_object_info(handle, topic, &info, sizeof(info)));
    return info;
}

inline uint64_t id_of(kairos_handle_t handle) {
    return info_of<kairos_info_basic>(handle, KAIROS_INFO_BASIC).id;
}

inline kairos_info_lineage lineage_of(kairos_handle_t handle) {
    return info_of<kairos_info_lineage>(handle, KAIROS_INFO_LINEAGE);
}

inline uint32_t queued_in(kairos_handle_t endpoint) {
    return info_of<kairos_info_channel>(endpoint, KAIROS_INFO_CHANNEL).queued;
}

inline kairos_info_process process_info(kairos_handle_t process) {
    return info_of<kairos_info_process>(process, KAIROS_INFO_PROCESS);
}

inline uint32_t own_handles() { return process_info(kairos_self_process()).handles; }

inline uint32_t hart_count() {
    return info_of<kairos_info_system>(kairos_bootstrap(KAIROS_BOOT_RESOURCE), KAIROS_INFO_SYSTEM)
        .harts;
}

inline uint32_t ready(kairos_handle_t handle, uint32_t events) {
    uint32_t revents = 0xdead;
    REQUIRE_STATUS(0, kairos_object_poll(handle, events, &revents));
    return revents;
}
