// The archive server; see the header.
#include "servers/archive/archive_server.hpp"

#include <algorithm>
#include <cstring>

#include "apps/common/text_field.hpp"

namespace archive {

kairos::Result<> ArchiveServer::run(kairos::Channel listen) {
    const auto listening = clients_.listen(std::move(listen));
    if (!listening) return listening;
    server_.run();
    return {};
}

kairos::Result<> ArchiveServer::answer(kairos::Request& request) {
    const auto wanted = request.as<kairos_archive_request>();
    switch (wanted ? wanted->kind : 0) {
        case KAIROS_ARCHIVE_OPEN: {
            const auto name = common::read_field(wanted->name);
            return answer_with_file(request, name ? image_.find(*name) : image_.count());
        }
        case KAIROS_ARCHIVE_STAT:
            return answer_with_file(request, wanted->file);
        case KAIROS_ARCHIVE_READ:
            return answer_with_data(request, *wanted);
        default:
            return request.reply(kairos_status_t{-EINVAL});
    }
}

kairos::Result<> ArchiveServer::answer_with_file(kairos::Request& request, uint32_t file) const {
    kairos_archive_file answer = {};
    answer.status = -ENOENT;
    if (file < image_.count()) {
        const kairos_archive_entry& entry = image_.entry(file);
        answer.status = 0;
        answer.file = file;
        answer.size = entry.size;
        std::memcpy(answer.name, entry.name, sizeof(answer.name));
    }
    return request.reply(answer);
}

kairos::Result<> ArchiveServer::answer_with_data(kairos::Request& request,
                                                 const kairos_archive_request& wanted) {
    std::string_view bytes;
    data_.status = -ENOENT;
    if (wanted.file < image_.count()) {
        const std::string_view contents = image_.contents(wanted.file);
        const uint64_t start = std::min<uint64_t>(wanted.offset, contents.size());
        bytes = contents.substr(start, std::min<uint64_t>(wanted.length, sizeof(data_.bytes)));
        data_.status = static_cast<kairos_status_t>(bytes.size());
        std::memcpy(data_.bytes, bytes.data(), bytes.size());
    }
    return request.reply(kairos::bytes_of(data_).first(sizeof(data_.status) + bytes.size()));
}

}  // namespace archive
