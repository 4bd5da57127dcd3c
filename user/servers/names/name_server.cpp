// The name server; see the header.
#include "servers/names/name_server.hpp"

#include "apps/common/text_field.hpp"

namespace names {

namespace {

bool leads_to(const kairos_names_view& view, std::string_view name) {
    for (uint32_t i = 0; i < view.count; ++i) {
        if (common::read_field(view.names[i]) == name) return true;
    }
    return false;
}

}  // namespace

kairos::Result<> NameServer::run(kairos::Channel registry) {
    const auto served = server_.serve(std::move(registry),
                                      [this](kairos::Request& request) { on_registry(request); });
    if (!served) return std::unexpected(served.error());
    server_.run();
    return {};
}

void NameServer::on_registry(kairos::Request& request) {
    kairos::Channel channel(request.take_handle());
    if (const auto view = request.as<kairos_names_view>()) {
        if (view->kind == KAIROS_NAMES_ADD_VIEW) add_view(*view, std::move(channel));
        return;
    }
    const auto change = request.as<kairos_names_request>();
    if (!change) return;
    const auto name = common::read_field(change->name);
    if (!name || name->empty()) return;
    if (change->kind == KAIROS_NAMES_ADD_SERVICE) services_.set(*name, std::move(channel));
    if (change->kind == KAIROS_NAMES_REMOVE_SERVICE) services_.remove(*name);
}

// Without one of its views the server is of no use to those who hold its names handles: it ends,
// and its successor gets them all again.
void NameServer::add_view(const kairos_names_view& view, kairos::Channel channel) {
    if (view.count > KAIROS_NAMES_VIEW_MAX) return;
    const auto served = server_.serve(
        std::move(channel), [this, view](kairos::Request& request) { on_view(view, request); },
        [this] { server_.stop(); });
    if (!served) server_.stop();
}

void NameServer::on_view(const kairos_names_view& view, kairos::Request& message) {
    const auto request = message.as<kairos_names_request>();
    kairos::Channel client(message.take_handle());
    if (!request || request->kind != KAIROS_NAMES_CONNECT || !client) return;
    const auto passed = pass_on(view, *request, client);
    if (passed) return;
    const kairos_welcome refusal = {kairos::to_status(passed.error())};
    client.send(refusal, {}, {.options = KCHANNEL_OPT_NONBLOCK});
}

// On failure the client is still in `client`.
kairos::Result<> NameServer::pass_on(const kairos_names_view& view,
                                     const kairos_names_request& request, kairos::Handle& client) {
    const auto name = common::read_field(request.name);
    if (!name || !leads_to(view, *name)) return std::unexpected(kairos::Error::ACCES);
    const kairos::Channel* connector = services_.connector(*name);
    if (connector == nullptr) return std::unexpected(kairos::Error::NOENT);
    return connector->send(request, std::span(&client, 1), {.options = KCHANNEL_OPT_NONBLOCK});
}

}  // namespace names
