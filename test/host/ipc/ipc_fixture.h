// What the tests of the IPC core share: a program or two with a budget of their own, calls in short
// form, and the proof at the end that everything has come back.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <string>

#include "hosted/machine.h"
#include "hosted/program.h"
#include "memory/address_space.h"
#include "object/registry.h"

namespace ipc_test {

using hosted::Call;
using hosted::Program;
using hosted::sys;

inline constexpr uint64_t kForever = KAIROS_TIME_INFINITE;

// What a call that fails answers. The numbers are those of the SDK's errno.h, not this machine's.
constexpr int64_t failure(Error error) { return -static_cast<int64_t>(error); }

// Everything that was there when it was made is there again when it goes, and nothing more.
class NothingLeft {
  public:
    NothingLeft() : root_(hosted::scheduled_kernel()) {
        hosted::run_to_quiet();
        objects_ = ObjectRegistry::count();
        used_ = root_.used();
    }
    ~NothingLeft() {
        hosted::run_to_quiet();
        CHECK(ObjectRegistry::count() == objects_);
        CHECK(root_.used() == used_);
    }
    Budget& root() const { return root_; }

  private:
    Budget& root_;
    uint64_t objects_;
    uint64_t used_;
};

struct Pair {
    HandleValue a;
    HandleValue b;
};

// A message in a program's memory, with room for the largest payload it is made for.
struct Letter {
    Letter(Program& of, uint32_t room = KCHANNEL_INLINE_MSG_BYTES)
        : program(of),
          message(of.make<kairos_channel_msg>()),
          handles(of.make<std::array<HandleValue, KCHANNEL_MAX_MSG_HANDLES>>()),
          bytes(of.make_bytes(room)),
          capacity(room) {
        clear();
    }
    // Ready to receive into.
    void clear() {
        message = {.bytes = reinterpret_cast<void*>(program.address(bytes)),
                   .handles = reinterpret_cast<HandleValue*>(program.address(&handles)),
                   .num_bytes = capacity,
                   .num_handles = KCHANNEL_MAX_MSG_HANDLES,
                   .txid = 0};
    }
    // Ready to be sent.
    void set(uint64_t value, uint32_t size = sizeof(uint64_t)) {
        clear();
        std::memcpy(bytes, &value, sizeof(value));
        message.num_bytes = size;
        message.num_handles = 0;
    }
    void add(HandleValue handle) { handles[message.num_handles++] = handle; }
    uint64_t value() const {
        uint64_t value = 0;
        std::memcpy(&value, bytes, sizeof(value));
        return value;
    }
    uint64_t address() const { return program.address(&message); }

    Program& program;
    kairos_channel_msg& message;
    std::array<HandleValue, KCHANNEL_MAX_MSG_HANDLES>& handles;
    uint8_t* bytes;
    uint32_t capacity;
};

inline Pair make_channel(Program& program) {
    auto& ends = program.make<std::array<HandleValue, 2>>();
    REQUIRE(program.call(Call::channel_create, 0, program.address(&ends[0]),
                         program.address(&ends[1])) == 0);
    return {ends[0], ends[1]};
}

inline HandleValue make_object(Program& program, Call create) {
    auto& handle = program.make<HandleValue>();
    REQUIRE(program.call(create, program.address(&handle)) == 0);
    return handle;
}
inline HandleValue make_port(Program& program) {
    auto& handle = program.make<HandleValue>();
    REQUIRE(program.call(Call::port_create, 0, program.address(&handle)) == 0);
    return handle;
}
inline HandleValue make_event(Program& program) { return make_object(program, Call::event_create); }
inline HandleValue make_timer(Program& program) { return make_object(program, Call::timer_create); }

inline uint32_t poll(Program& program, HandleValue handle) {
    auto& ready = program.make<uint32_t>();
    constexpr uint32_t kAll = KAIROS_POLLIN | KAIROS_POLLOUT | KAIROS_POLLERR | KAIROS_POLLHUP;
    REQUIRE(program.call(Call::object_poll, handle, kAll, program.address(&ready)) == 0);
    return ready;
}

}  // namespace ipc_test
