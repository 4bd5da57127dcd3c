// The archive server: reads the files of the boot archive for its clients (protocols/archive.h).
// It keeps nothing for a client but its channel; every reply follows from its request alone.
#pragma once

#include <kairos/server.hpp>

#include "apps/common/archive_image.hpp"
#include "apps/common/connections.hpp"
#include "protocols/archive.h"

namespace archive {

class ArchiveServer {
  public:
    // `image` must outlive the server.
    explicit ArchiveServer(const common::ArchiveImage& image) : image_(image) {}

    // Serves the clients that connect to `listen`. Returns only when it cannot begin, or cannot go
    // on.
    kairos::Result<> run(kairos::Channel listen);

  private:
    static constexpr size_t kClientsMax = 32;

    kairos::Result<> answer(kairos::Request& request);
    kairos::Result<> answer_with_file(kairos::Request& request, uint32_t file) const;
    kairos::Result<> answer_with_data(kairos::Request& request,
                                      const kairos_archive_request& wanted);

    const common::ArchiveImage& image_;
    kairos::Server server_{sizeof(kairos_archive_request)};
    common::Connections clients_{server_, kClientsMax, [this](uint64_t, kairos::Request& request) {
                                     // Who sends more than it receives is let go.
                                     if (!answer(request)) request.close();
                                 }};
    kairos_archive_data data_;
};

}  // namespace archive
