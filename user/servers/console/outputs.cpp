// The open outputs; see the header.
#include "servers/console/outputs.hpp"

#include <algorithm>

namespace console {

kairos::Result<kairos::Channel> Outputs::open(uint64_t client) {
    uint64_t* owner = free_place(client);
    if (owner == nullptr) return std::unexpected(kairos::Error::MFILE);

    auto ends = kairos::Channel::create();
    if (!ends) return std::unexpected(ends.error());
    const auto limited =
        ends->second.limit_rights(KRIGHT_WRITE | KRIGHT_WAIT | KRIGHT_TRANSFER | KRIGHT_DUPLICATE);
    if (!limited) return std::unexpected(limited.error());
    const auto served = server_.serve(
        std::move(ends->first), [this](kairos::Request& text) { screen_.write(text.text()); },
        [owner] { *owner = 0; });
    if (!served) return std::unexpected(served.error());
    *owner = client;
    return std::move(ends->second);
}

uint64_t* Outputs::free_place(uint64_t client) {
    const auto of_client = std::ranges::count(owners_, client);
    if (of_client >= static_cast<ptrdiff_t>(kMaxOfClient)) return nullptr;
    const auto place = std::ranges::find(owners_, 0u);
    return place != owners_.end() ? &*place : nullptr;
}

}  // namespace console
