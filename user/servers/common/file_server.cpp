// A file server; see the header.
#include "servers/common/file_server.hpp"

#include <errno.h>

#include <algorithm>
#include <cstring>

#include "apps/common/text_field.hpp"
#include "servers/common/open_flags.hpp"

namespace files {

namespace {

kairos_files_reply reply_of(const std::optional<Entry>& entry) {
    kairos_files_reply reply = {};
    reply.status = entry ? 0 : -ENOENT;
    if (!entry) return reply;
    reply.number = entry->number;
    reply.size = entry->size;
    common::write_field(reply.name, entry->name);
    return reply;
}

kairos_files_reply reply_of(kairos_status_t status) {
    kairos_files_reply reply = {};
    reply.status = status;
    return reply;
}

}  // namespace

kairos::Result<> FileServer::run(kairos::Channel listen) {
    const auto listening = clients_.listen(std::move(listen));
    if (!listening) return listening;
    server_.run();
    return {};
}

kairos::Result<> FileServer::answer(uint64_t client, kairos::Request& request) {
    const auto wanted = request.as<kairos_files_request>();
    const auto name = wanted ? common::read_field(wanted->name) : std::nullopt;
    const auto new_name = wanted ? common::read_field(wanted->new_name) : std::nullopt;
    if (!name || !new_name) return request.reply(reply_of(kairos_status_t{-EINVAL}));
    streams_.settle();
    switch (wanted->kind) {
        case KAIROS_FILES_OPEN:
        case KAIROS_FILES_OPEN_STREAM:
            return open(client, *wanted, request);
        case KAIROS_FILES_STAT:
            return request.reply(reply_of(volume_.find(*name)));
        case KAIROS_FILES_LIST:
            return request.reply(reply_of(volume_.next(wanted->after)));
        case KAIROS_FILES_REMOVE:
            return request.reply(reply_of(kairos_status_t{volume_.remove(*name)}));
        case KAIROS_FILES_RENAME:
            return request.reply(reply_of(kairos_status_t{volume_.rename(*name, *new_name)}));
        default:
            return request.reply(reply_of(kairos_status_t{-EINVAL}));
    }
}

kairos::Result<> FileServer::open(uint64_t client, const kairos_files_request& wanted,
                                  kairos::Request& request) {
    const bool sensible = wanted.kind == KAIROS_FILES_OPEN ? is_sensible(wanted.flags)
                                                           : is_sensible_for_stream(wanted.flags);
    if (!sensible) return request.reply(reply_of(kairos_status_t{-EINVAL}));
    if (!has_room(client)) return request.reply(reply_of(kairos_status_t{-EMFILE}));
    Opened opened = volume_.open(*common::read_field(wanted.name), wanted.flags);
    if (opened.status < 0) return request.reply(reply_of(kairos_status_t{opened.status}));

    kairos_files_reply reply = reply_of(kairos_status_t{0});
    reply.number = opened.file->number();
    reply.size = opened.file->size();
    std::memcpy(reply.name, wanted.name, sizeof(reply.name));
    auto channel = open_channel(client, std::move(opened.file), wanted);
    if (!channel) return request.reply(reply_of(kairos::to_status(channel.error())));
    kairos::Handle given = std::move(*channel);
    return request.reply(reply, std::span(&given, 1));
}

kairos::Result<kairos::Channel> FileServer::open_channel(uint64_t client,
                                                         std::shared_ptr<File> file,
                                                         const kairos_files_request& wanted) {
    auto channel = wanted.kind == KAIROS_FILES_OPEN
                       ? serve_file(client, std::move(file), wanted.flags)
                       : streams_.open(client, std::move(file), wanted.flags);
    if (channel) note_open(client);
    return channel;
}

kairos::Result<kairos::Channel> FileServer::serve_file(uint64_t client, std::shared_ptr<File> file,
                                                       uint32_t flags) {
    auto ends = kairos::Channel::create();
    if (!ends) return std::unexpected(ends.error());
    const auto served = server_.serve(
        std::move(ends->first),
        [this, open = OpenFile{std::move(file), flags}](kairos::Request& request) mutable {
            if (!answer_file(open, request)) request.close();
        },
        [this, client] { note_closed(client); });
    if (!served) return std::unexpected(served.error());
    return std::move(ends->second);
}

kairos::Result<> FileServer::answer_file(OpenFile& open, kairos::Request& request) {
    const kairos::Bytes message = request.bytes();
    kairos_file_request wanted = {};
    if (message.size() >= sizeof(wanted)) {
        std::memcpy(&wanted, message.data(), sizeof(wanted));
    }
    const kairos::Bytes bytes = message.subspan(std::min(message.size(), sizeof(wanted)));
    streams_.settle(open.file->number());
    if (wanted.kind == KAIROS_FILE_READ && bytes.empty() && has(open.flags, KAIROS_FILES_READ)) {
        return read(open, wanted.length, request);
    }
    const kairos_status_t status = change(open, wanted, bytes);
    return request.reply(kairos_file_reply{
        .status = status, .number = open.file->number(), .size = open.file->size()});
}

kairos::Result<> FileServer::read(OpenFile& open, uint64_t length, kairos::Request& request) {
    const size_t room = std::min<uint64_t>(length, sizeof(data_.bytes));
    const size_t count =
        open.file->read(open.position, std::as_writable_bytes(std::span(data_.bytes)).first(room));
    data_.status = static_cast<kairos_status_t>(count);
    const auto replied = request.reply(kairos::bytes_of(data_).first(sizeof(data_.status) + count));
    if (replied) open.position += count;
    return replied;
}

kairos_status_t FileServer::change(OpenFile& open, const kairos_file_request& wanted,
                                   kairos::Bytes bytes) {
    if (wanted.kind == KAIROS_FILE_WRITE) return write(open, bytes);
    if (!bytes.empty()) return -EINVAL;
    switch (wanted.kind) {
        case KAIROS_FILE_READ:
            return -EBADF;
        case KAIROS_FILE_SEEK:
            return seek(open, wanted.whence, wanted.offset);
        case KAIROS_FILE_STAT:
            return 0;
        case KAIROS_FILE_TRUNCATE:
            return has(open.flags, KAIROS_FILES_WRITE) ? open.file->resize(wanted.length) : -EBADF;
        default:
            return -EINVAL;
    }
}

kairos_status_t FileServer::write(OpenFile& open, kairos::Bytes bytes) {
    if (bytes.size() > KAIROS_FILE_DATA_MAX) return -EINVAL;
    if (!has(open.flags, KAIROS_FILES_WRITE)) return -EBADF;
    if (has(open.flags, KAIROS_FILES_APPEND)) open.position = open.file->size();
    const int written = open.file->write(open.position, bytes);
    if (written < 0) return written;
    open.position += bytes.size();
    return static_cast<kairos_status_t>(bytes.size());
}

kairos_status_t FileServer::seek(OpenFile& open, uint32_t whence, int64_t offset) {
    const uint64_t bases[] = {0, open.position, open.file->size()};
    if (whence >= std::size(bases)) return -EINVAL;
    int64_t position;
    const bool overflow =
        __builtin_add_overflow(static_cast<int64_t>(bases[whence]), offset, &position);
    if (overflow || position < 0) return -EINVAL;
    open.position = static_cast<uint64_t>(position);
    return position;
}

bool FileServer::has_room(uint64_t client) const {
    const auto of_client = std::ranges::count(owners_, client);
    const auto free_places = std::ranges::count(owners_, 0u);
    return of_client < static_cast<ptrdiff_t>(kOpenOfClientMax) && free_places != 0;
}

void FileServer::note_open(uint64_t client) { *std::ranges::find(owners_, 0u) = client; }

void FileServer::note_closed(uint64_t client) { *std::ranges::find(owners_, client) = 0; }

}  // namespace files
