// The name server: leads clients to services by name, each through a view that names the services
// it may lead to. It is told of services and views by init alone, over the registry channel, and
// keeps nothing else: after a failure init tells it everything again.
//
// A view is fed by programs that nobody trusts. A message of the wrong form is dropped; passing a
// connection on never waits.
#pragma once

#include <kairos/server.hpp>

#include "protocols/names.h"
#include "servers/names/services.hpp"

namespace names {

class NameServer {
  public:
    // Serves init at the other end of `registry`, and the views that it adds. Returns only when it
    // cannot begin, or cannot go on.
    kairos::Result<> run(kairos::Channel registry);

  private:
    void on_registry(kairos::Request& request);
    void add_view(const kairos_names_view& view, kairos::Channel channel);
    void on_view(const kairos_names_view& view, kairos::Request& request);
    kairos::Result<> pass_on(const kairos_names_view& view, const kairos_names_request& request,
                             kairos::Handle& client);

    // No message that a client can send is too large: it would end the view for all its clients.
    kairos::Server server_{KCHANNEL_MAX_MSG_BYTES};
    Services services_;
};

}  // namespace names
