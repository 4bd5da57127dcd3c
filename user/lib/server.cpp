// The server loop; see <kairos/server.hpp>. A packet's key is the name of an entry; names are never
// used again, so a packet for what has been dropped finds nothing.
#include <kairos/server.hpp>

#include <algorithm>

namespace kairos {

namespace {

constexpr uint32_t kChannelSignals = KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED;

}  // namespace

Result<uint64_t> Server::serve(Channel channel, RequestHandler on_request, CloseHandler on_close) {
    auto entry = std::make_unique<Entry>();
    entry->channel = std::move(channel);
    entry->bound = entry->channel.get();
    entry->on_request = std::move(on_request);
    entry->on_close = std::move(on_close);
    return add(std::move(entry), kChannelSignals);
}

Result<uint64_t> Server::watch(const Handle& object, uint32_t signals, EventHandler on_event) {
    auto entry = std::make_unique<Entry>();
    entry->bound = object.get();
    entry->on_event = std::move(on_event);
    return add(std::move(entry), signals);
}

Result<uint64_t> Server::add(std::unique_ptr<Entry> entry, uint32_t signals) {
    if (!port_) {
        auto port = Port::create();
        if (!port) return std::unexpected(port.error());
        port_ = std::move(*port);
    }
    const uint64_t name = ++last_name_;
    entry->name = name;
    const kairos_status_t status = kairos_port_bind(port_.get(), entry->bound, name, signals);
    if (status < 0) return failure(status);
    entries_.push_back(std::move(entry));
    return name;
}

Server::Entry* Server::find(uint64_t name) {
    const auto at =
        std::ranges::lower_bound(entries_, name, {}, [](const auto& entry) { return entry->name; });
    const bool found = at != entries_.end() && (*at)->name == name && !(*at)->dropped;
    return found ? at->get() : nullptr;
}

// The entry may be in use below us: it goes in sweep().
void Server::drop(uint64_t name) {
    Entry* entry = find(name);
    if (entry == nullptr) return;
    kairos_port_unbind(port_.get(), entry->bound);
    entry->dropped = true;
    has_dropped_ = true;
}

void Server::sweep() {
    while (has_dropped_) {
        has_dropped_ = false;
        std::vector<CloseHandler> closed;
        for (const auto& entry : entries_) {
            if (!entry->dropped) continue;
            entry->channel.reset();
            if (entry->on_close) closed.push_back(std::move(entry->on_close));
        }
        std::erase_if(entries_, [](const auto& entry) { return entry->dropped; });
        for (CloseHandler& on_close : closed) on_close();
    }
}

int Server::run() {
    sweep();
    while (!stopped_ && !entries_.empty()) {
        const auto packet = port_.wait();
        if (packet) {
            dispatch(*packet);
            sweep();
        } else if (packet.error() != Error::INTR) {
            return 1;
        }
    }
    return value_;
}

void Server::dispatch(const kairos_port_packet& packet) {
    Entry* entry = find(packet.key);
    if (entry == nullptr) return;
    if (entry->on_event) {
        entry->on_event(packet);
    } else {
        receive(*entry, packet.observed);
    }
}

// One message: if there are more, the port reports the channel again, after the others. Only what
// a closed client has left behind is received at once, since nothing reports its end again.
void Server::receive(Entry& entry, uint32_t observed) {
    const bool closed = (observed & KPORT_BIND_PEER_CLOSED) != 0;
    const uint32_t rounds = closed ? KCHANNEL_MAX_QUEUE + 1 : 1;
    for (uint32_t i = 0; i < rounds && !stopped_; ++i) {
        if (!receive_one(entry)) return;
    }
}

// Whether there may be another one to receive.
bool Server::receive_one(Entry& entry) {
    const auto received =
        entry.channel.receive(message_, KAIROS_TIME_INFINITE, KCHANNEL_OPT_NONBLOCK);
    if (!received && received.error() == Error::AGAIN) return false;
    // The end, or a message that the server has no room for.
    if (!received || !*received) {
        drop(entry.name);
        return false;
    }
    Request request(entry.channel, message_);
    entry.on_request(request);
    if (request.wants_reply()) static_cast<void>(request.reply(Bytes()));
    message_.clear();
    if (request.closes_) drop(entry.name);
    return !entry.dropped;
}

}  // namespace kairos
