// A file server: lets clients use a volume (protocols/files.h). One loop serves the clients'
// sessions, the open files and the streams.
//
// All tables are bounded, for each client and in all, and nothing waits for a client: one that
// does not take its replies is let go. Open files and streams outlive the session that opened
// them, as they may have been given away; they still count.
#pragma once

#include <kairos/server.hpp>

#include <array>

#include "apps/common/connections.hpp"
#include "servers/common/streams.hpp"

namespace files {

class FileServer {
  public:
    // `volume` must outlive the server.
    explicit FileServer(Volume& volume) : volume_(volume) {}

    // Serves the clients that connect to `listen`. Returns only when it cannot begin, or cannot go
    // on.
    kairos::Result<> run(kairos::Channel listen);

  private:
    static constexpr size_t kClientsMax = 32;
    static constexpr size_t kOpenMax = 256;  // files and streams
    static constexpr size_t kOpenOfClientMax = 64;

    struct OpenFile {
        std::shared_ptr<File> file;
        uint32_t flags;
        uint64_t position = 0;
    };

    kairos::Result<> answer(uint64_t client, kairos::Request& request);
    kairos::Result<> open(uint64_t client, const kairos_files_request& wanted,
                          kairos::Request& request);
    kairos::Result<kairos::Channel> open_channel(uint64_t client, std::shared_ptr<File> file,
                                                 const kairos_files_request& wanted);
    kairos::Result<kairos::Channel> serve_file(uint64_t client, std::shared_ptr<File> file,
                                               uint32_t flags);

    kairos::Result<> answer_file(OpenFile& open, kairos::Request& request);
    kairos::Result<> read(OpenFile& open, uint64_t length, kairos::Request& request);
    static kairos_status_t write(OpenFile& open, kairos::Bytes bytes);
    static kairos_status_t seek(OpenFile& open, uint32_t whence, int64_t offset);
    static kairos_status_t change(OpenFile& open, const kairos_file_request& wanted,
                                  kairos::Bytes bytes);

    // Who has how much open.
    bool has_room(uint64_t client) const;
    void note_open(uint64_t client);
    void note_closed(uint64_t client);

    Volume& volume_;
    kairos::Server server_{KCHANNEL_MAX_MSG_BYTES};
    Streams streams_{server_, [this](uint64_t client) { note_closed(client); }};
    common::Connections clients_{server_, kClientsMax,
                                 [this](uint64_t client, kairos::Request& request) {
                                     // Who sends more than it receives is let go.
                                     if (!answer(client, request)) request.close();
                                 }};
    std::array<uint64_t, kOpenMax> owners_{};  // of each open thing its client; 0: a free place
    kairos_file_data data_;
};

}  // namespace files
