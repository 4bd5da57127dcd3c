// A client of the archive server (protocols/archive.h).
#pragma once

#include <kairos/channel.hpp>

#include <cstring>
#include <string_view>

#include "apps/common/connect.hpp"
#include "apps/common/text_field.hpp"
#include "protocols/archive.h"

namespace common {

class ArchiveClient {
  public:
    // Errors as common::connect.
    static kairos::Result<ArchiveClient> connect() {
        auto channel = common::connect(KAIROS_ARCHIVE_SERVICE, deadline());
        if (!channel) return std::unexpected(channel.error());
        return ArchiveClient(std::move(*channel));
    }

    // The file called `name`; a leading slash is passed over. -ENOENT, or errors of the call.
    kairos::Result<kairos_archive_file> find(std::string_view name) const {
        if (name.starts_with('/')) name.remove_prefix(1);
        kairos_archive_request request = {};
        request.kind = KAIROS_ARCHIVE_OPEN;
        if (!write_field(request.name, name)) return std::unexpected(kairos::Error::NOENT);
        return ask(request);
    }

    // The file with this number. -ENOENT past the last, or errors of the call.
    kairos::Result<kairos_archive_file> stat(uint32_t file) const {
        kairos_archive_request request = {};
        request.kind = KAIROS_ARCHIVE_STAT;
        request.file = file;
        return ask(request);
    }

    using Buffer = kairos::MessageBuffer<sizeof(kairos_archive_data)>;

    // Some of the bytes of a file from `offset` on, in `buffer`; none at its end. Errors of the
    // call.
    kairos::Result<kairos::Bytes> read(uint32_t file, uint64_t offset, Buffer& buffer) const {
        kairos_archive_request request = {};
        request.kind = KAIROS_ARCHIVE_READ;
        request.file = file;
        request.offset = offset;
        request.length = KAIROS_ARCHIVE_READ_MAX;
        const auto called = channel_.call(kairos::bytes_of(request), buffer, {}, deadline());
        if (!called) return std::unexpected(called.error());
        kairos_status_t status = -EIO;
        const kairos::Bytes reply = buffer.bytes();
        if (reply.size() < sizeof(status)) return kairos::failure(status);
        std::memcpy(&status, reply.data(), sizeof(status));
        if (status < 0) return kairos::failure(status);
        return reply.subspan(sizeof(status));
    }

  private:
    explicit ArchiveClient(kairos::Channel channel) : channel_(std::move(channel)) {}

    // The server answers at once; this is for one that hangs.
    static kairos_time_t deadline() { return kairos::after(5 * kairos::kSecond); }

    kairos::Result<kairos_archive_file> ask(const kairos_archive_request& request) const {
        auto file = channel_.call<kairos_archive_file>(request, deadline());
        if (file && file->status < 0) return kairos::failure(file->status);
        return file;
    }

    kairos::Channel channel_;
};

}  // namespace common
