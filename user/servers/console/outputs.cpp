// The open outputs; see the header.
#include "servers/console/outputs.hpp"

#include <algorithm>

#include "apps/common/object_id.hpp"

namespace console {

kairos::Result<kairos::Channel> Outputs::open(uint64_t client) {
    Output* output = free_place(client);
    if (output == nullptr) return std::unexpected(kairos::Error::MFILE);

    auto ends = kairos::Channel::create();
    if (!ends) return std::unexpected(ends.error());
    const auto limited =
        ends->second.limit_rights(KRIGHT_WRITE | KRIGHT_WAIT | KRIGHT_TRANSFER | KRIGHT_DUPLICATE);
    if (!limited) return std::unexpected(limited.error());
    const uint64_t endpoint = common::id_of(ends->first);
    const auto served = server_.serve(
        std::move(ends->first), [this](kairos::Request& text) { screen_.write(text.text()); },
        [output] { *output = {}; });
    if (!served) return std::unexpected(served.error());
    *output = {client, endpoint};
    return std::move(ends->second);
}

Outputs::Output* Outputs::free_place(uint64_t client) {
    const auto of_client = std::ranges::count(outputs_, client, &Output::client);
    if (of_client >= static_cast<ptrdiff_t>(kMaxOfClient)) return nullptr;
    Output* place = std::ranges::find(outputs_, 0u, &Output::client);
    return place != outputs_.end() ? place : nullptr;
}

bool Outputs::has(uint64_t endpoint) const {
    return std::ranges::find(outputs_, endpoint, &Output::endpoint) != outputs_.end();
}

}  // namespace console
