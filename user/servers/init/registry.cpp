// init's side of the registry channel; see the header.
#include "servers/init/registry.hpp"

#include "apps/common/text_field.hpp"
#include "apps/common/words.hpp"
#include "protocols/names.h"

namespace init {

namespace {

kairos_names_request request_for(uint32_t kind, std::string_view service) {
    kairos_names_request request = {};
    request.kind = kind;
    common::write_field(request.name, service);
    return request;
}

}  // namespace

kairos::Result<kairos::Channel> Registry::begin() {
    auto ends = kairos::Channel::create();
    if (!ends) return std::unexpected(ends.error());
    channel_ = std::move(ends->first);
    return std::move(ends->second);
}

template <kairos::Plain Message>
void Registry::tell(const Message& message, std::span<kairos::Handle> moved) const {
    channel_.send(message, moved, {.options = KCHANNEL_OPT_NONBLOCK});
}

void Registry::add_service(std::string_view service, const kairos::Channel& connector) const {
    auto copy = connector.Handle::duplicate(KRIGHT_WRITE | KRIGHT_TRANSFER);
    if (copy) tell(request_for(KAIROS_NAMES_ADD_SERVICE, service), std::span(&*copy, 1));
}

void Registry::remove_service(std::string_view service) const {
    tell(request_for(KAIROS_NAMES_REMOVE_SERVICE, service));
}

void Registry::add_view(std::string_view services, const kairos::Channel& channel) const {
    kairos_names_view view = {};
    view.kind = KAIROS_NAMES_ADD_VIEW;
    while (!services.empty() && view.count < KAIROS_NAMES_VIEW_MAX) {
        common::write_field(view.names[view.count++], common::take_until(services, ','));
    }
    auto copy = channel.Handle::duplicate(KRIGHT_READ | KRIGHT_WAIT | KRIGHT_TRANSFER);
    if (copy) tell(view, std::span(&*copy, 1));
}

}  // namespace init
