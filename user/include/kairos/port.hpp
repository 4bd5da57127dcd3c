// A port. Errors of each operation are those of the call in <kairos/port.h>.
#pragma once

#include <kairos/handle.hpp>

#include <span>

namespace kairos {

class Port : public TypedHandle<Port> {
  public:
    using TypedHandle::TypedHandle;

    [[nodiscard]] static Result<Port> create(uint32_t flags = 0) {
        return make([&](kairos_handle_t* out) { return kairos_port_create(flags, out); });
    }

    Result<> bind(const Handle& object, uint64_t key, uint32_t signals) const {
        return to_result(kairos_port_bind(get(), object.get(), key, signals));
    }
    Result<> unbind(const Handle& object) const {
        return to_result(kairos_port_unbind(get(), object.get()));
    }
    Result<> queue(const kairos_port_packet& packet) const {
        return to_result(kairos_port_queue(get(), &packet));
    }

    // The next packet.
    [[nodiscard]] Result<kairos_port_packet> wait(kairos_time_t deadline = KAIROS_TIME_INFINITE,
                                                  uint32_t options = 0) const {
        kairos_port_packet packet;
        const kairos_status_t status = kairos_port_wait(get(), &packet, 1, options, deadline);
        if (status < 0) return failure(status);
        return packet;
    }
    // The next packets, as many as wait and fit into `room`: the first part of it.
    [[nodiscard]] Result<std::span<kairos_port_packet>> wait(
        std::span<kairos_port_packet> room, kairos_time_t deadline = KAIROS_TIME_INFINITE,
        uint32_t options = 0) const {
        const auto max = static_cast<uint32_t>(room.size() < UINT32_MAX ? room.size() : UINT32_MAX);
        const kairos_status_t status = kairos_port_wait(get(), room.data(), max, options, deadline);
        if (status < 0) return failure(status);
        return room.first(static_cast<size_t>(status));
    }
};

}  // namespace kairos
