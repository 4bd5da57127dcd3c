// The streams of a file server (protocols/files.h): files as plain byte channels.
//
// Nothing waits for a client. A reader gets as much as its queue holds, and more when it has room
// again; a writer has one message taken at a time, unless somebody is about to look at the file.
#pragma once

#include <kairos/server.hpp>

#include <memory>
#include <vector>

#include "protocols/files.h"
#include "servers/common/volume.hpp"

namespace files {

class Streams {
  public:
    // Told the client whose stream has ended.
    using EndHandler = std::function<void(uint64_t client)>;

    // `server` must outlive this.
    Streams(kairos::Server& server, EndHandler on_end)
        : server_(server), on_end_(std::move(on_end)) {}

    // Opens a stream for `client`: the client's end. Errors of making and watching a channel.
    kairos::Result<kairos::Channel> open(uint64_t client, std::shared_ptr<File> file,
                                         uint32_t flags);

    // Takes in what waits in the streams into files: into all, or into that of this number.
    void settle(uint64_t number = 0);

  private:
    struct Stream {
        uint64_t name;  // rising
        uint64_t client;
        std::shared_ptr<File> file;
        bool writes;
        uint64_t offset = 0;  // of what is read next
        kairos::Channel channel;
        uint64_t watch = 0;  // the server's name for watching the channel
    };

    // What a stream is about to do.
    enum class State { Waits, HasMore, Ended };

    kairos::Result<> watch(Stream& stream);
    void on_event(uint64_t name, uint32_t observed);
    State push(Stream& stream);
    State take(Stream& stream, size_t most);
    void end(uint64_t name);

    kairos::Server& server_;
    EndHandler on_end_;
    uint64_t last_name_ = 0;
    std::vector<std::unique_ptr<Stream>> streams_;
    kairos::MessageBuffer<KCHANNEL_MAX_MSG_BYTES> message_;
};

}  // namespace files
