// Streams; see the header.
#include "servers/common/streams.hpp"

#include <algorithm>

#include "servers/common/open_flags.hpp"

namespace files {

namespace {

// More than a queue holds: what was there at the beginning is done.
constexpr size_t kWholeQueue = KCHANNEL_MAX_QUEUE + 1;

}  // namespace

kairos::Result<kairos::Channel> Streams::open(uint64_t client, std::shared_ptr<File> file,
                                              uint32_t flags) {
    const bool writes = has(flags, KAIROS_FILES_WRITE);
    auto ends = kairos::Channel::create();
    if (!ends) return std::unexpected(ends.error());
    const auto limited = ends->second.limit_rights(
        (writes ? KRIGHT_WRITE : KRIGHT_READ) | KRIGHT_WAIT | KRIGHT_TRANSFER | KRIGHT_DUPLICATE);
    if (!limited) return std::unexpected(limited.error());

    auto stream = std::make_unique<Stream>(++last_name_, client, std::move(file), writes);
    stream->channel = std::move(ends->first);
    const auto watching = watch(*stream);
    if (!watching) return std::unexpected(watching.error());
    streams_.push_back(std::move(stream));
    return std::move(ends->second);
}

kairos::Result<> Streams::watch(Stream& stream) {
    const uint32_t signal = stream.writes ? KPORT_BIND_READABLE : KPORT_BIND_WRITABLE;
    const auto watch = server_.watch(stream.channel, signal | KPORT_BIND_PEER_CLOSED,
                                     [this, name = stream.name](const kairos_port_packet& packet) {
                                         on_event(name, packet.observed);
                                     });
    if (!watch) return std::unexpected(watch.error());
    stream.watch = *watch;
    return {};
}

void Streams::on_event(uint64_t name, uint32_t observed) {
    const auto found = std::ranges::find_if(streams_, [=](auto& one) { return one->name == name; });
    if (found == streams_.end()) return;
    Stream& stream = **found;
    // The end is reported once, so all that is before it is taken now.
    const bool closed = (observed & KPORT_BIND_PEER_CLOSED) != 0;
    State state = stream.writes ? take(stream, closed ? kWholeQueue : 1) : push(stream);
    // Watching anew reports a channel with room again, after the others have had their turn.
    if (state == State::HasMore && !stream.writes) {
        server_.drop(stream.watch);
        if (!watch(stream)) state = State::Ended;
    }
    if (state == State::Ended) end(name);
}

Streams::State Streams::push(Stream& stream) {
    std::array<std::byte, KAIROS_FILE_STREAM_MAX> bytes;
    for (size_t round = 0; round < kWholeQueue; ++round) {
        settle(stream.file->number());
        const size_t length = stream.file->read(stream.offset, bytes);
        if (length == 0) return State::Ended;
        const auto sent = stream.channel.send(kairos::Bytes(bytes).first(length), {},
                                              {.options = KCHANNEL_OPT_NONBLOCK});
        if (!sent) return sent.error() == kairos::Error::AGAIN ? State::Waits : State::Ended;
        stream.offset += length;
    }
    return State::HasMore;
}

Streams::State Streams::take(Stream& stream, size_t most) {
    for (size_t i = 0; i < most; ++i) {
        const auto received =
            stream.channel.receive(message_, KAIROS_TIME_INFINITE, KCHANNEL_OPT_NONBLOCK);
        if (!received && received.error() == kairos::Error::AGAIN) return State::Waits;
        if (!received || !*received) return State::Ended;
        const int written = stream.file->write(stream.file->size(), message_.bytes());
        message_.clear();
        if (written < 0) return State::Ended;
    }
    return State::HasMore;
}

void Streams::settle(uint64_t number) {
    std::vector<uint64_t> ended;
    for (const auto& stream : streams_) {
        if (!stream->writes || (number != 0 && stream->file->number() != number)) continue;
        if (take(*stream, kWholeQueue) == State::Ended) ended.push_back(stream->name);
    }
    for (const uint64_t name : ended) end(name);
}

void Streams::end(uint64_t name) {
    const auto found = std::ranges::find_if(streams_, [=](auto& one) { return one->name == name; });
    if (found == streams_.end()) return;
    const uint64_t client = (*found)->client;
    server_.drop((*found)->watch);
    streams_.erase(found);
    on_end_(client);
}

}  // namespace files
