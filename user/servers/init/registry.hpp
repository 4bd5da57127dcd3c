// init's side of the registry channel, over which it tells the name server of services and views
// (protocols/names.h). Sending never waits; what a name server that is gone did not hear, its
// successor is told.
#pragma once

#include <kairos/channel.hpp>

#include <string_view>

namespace init {

class Registry {
  public:
    // Makes a new channel: the name server's end. Errors of making it.
    kairos::Result<kairos::Channel> begin();

    // Connections to `service` shall go to `connector`, of which a duplicate is sent.
    void add_service(std::string_view service, const kairos::Channel& connector) const;
    void remove_service(std::string_view service) const;

    // What comes to `channel`, of which a duplicate is sent, may lead to the services listed,
    // separated by commas.
    void add_view(std::string_view services, const kairos::Channel& channel) const;

  private:
    template <kairos::Plain Message>
    void tell(const Message& message, std::span<kairos::Handle> moved = {}) const;

    kairos::Channel channel_;
};

}  // namespace init
