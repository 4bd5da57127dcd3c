// The first startup message, as a spawner writes it (abi/startup.h): what goes to main, the
// child's own handles, and the places of those that will follow.
#pragma once

#include <kairos/abi/startup.h>
#include <kairos/handle.hpp>

#include <cstdlib>
#include <memory>

#include "gifts.hpp"

namespace kairos::internal {

class StartupMessage {
  public:
    // -EMSGSIZE: the arguments are too many, or too long, for a message.
    kairos_status_t set_arguments(char* const argv[]);

    // Bytes of the child's stack that the message takes, with a pointer for each argument.
    size_t stack_bytes() const;

    // Adds a handle to those that go with the message. There is room for eight.
    void add(uint32_t which, Handle handle);
    // The same with a new handle to what `handle` names. Errors as kairos_handle_duplicate.
    kairos_status_t add_duplicate(uint32_t which, kairos_handle_t handle);

    // Sends it. `header` has the image and the stack; the rest is filled in here. Errors as
    // kairos_channel_send.
    kairos_status_t send(kairos_handle_t channel, kairos_startup header, const Gifts& gifts);

  private:
    struct Free {
        void operator()(char* bytes) const { std::free(bytes); }
    };

    char* const* argv_ = nullptr;
    uint32_t argc_ = 0;
    uint32_t string_bytes_ = 0;
    uint32_t places_[KCHANNEL_MAX_MSG_HANDLES];
    Handle handles_[KCHANNEL_MAX_MSG_HANDLES];
    uint32_t count_ = 0;
};

}  // namespace kairos::internal
