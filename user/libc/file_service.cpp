// Asking file servers; see the header.
#include "file_service.hpp"

#include <errno.h>
#include <kairos/sync.h>

#include <cstring>
#include <kairos/channel.hpp>

#include "../lib/connect.hpp"
#include "../protocols/boot.h"
#include "ask.hpp"

namespace kairos::internal {

namespace {

// The session with a server, for all threads. It is never closed while somebody may be calling
// over it: what a failed one is replaced by takes its place, and it is left as it is.
struct Session {
    const char* service;
    kairos_mutex lock = KAIROS_MUTEX_INIT;
    kairos_handle_t channel = KAIROS_HANDLE_INVALID;
};
constinit Session sessions[] = {{.service = KAIROS_ARCHIVE_SERVICE},
                                {.service = KAIROS_TMP_SERVICE}};

Session& session_with(const char* service) {
    return sessions[std::strcmp(service, sessions[0].service) == 0 ? 0 : 1];
}

// A session's channel, other than `failed`.
kairos_status_t connect_session(Session& session, kairos_handle_t failed,
                                kairos_handle_t& channel) {
    kairos_mutex_lock(&session.lock);
    kairos_status_t status = 0;
    if (session.channel == KAIROS_HANDLE_INVALID || session.channel == failed) {
        const kairos_handle_t names = kairos_bootstrap(KAIROS_BOOT_NAMES);
        status = names == KAIROS_HANDLE_INVALID
                     ? -ENOENT
                     : connect(names, session.service, KAIROS_TIME_INFINITE, &session.channel);
        // That there is no server says nothing of a file.
        if (status == -ENOENT && names != KAIROS_HANDLE_INVALID) status = -EIO;
    }
    channel = session.channel;
    kairos_mutex_unlock(&session.lock);
    return status;
}

kairos_status_t call(kairos_handle_t channel, const kairos_files_request& request,
                     kairos_files_reply& reply, Handle* opened) {
    Handle received;
    const kairos_status_t status = internal::ask(channel, request, reply, &received);
    if (status < 0) return status;
    if (reply.status >= 0 && opened != nullptr) *opened = std::move(received);
    return reply.status;
}

// A server that was started anew since the last time is asked again.
kairos_status_t ask(const char* service, const kairos_files_request& request,
                    kairos_files_reply& reply, Handle* opened = nullptr) {
    Session& session = session_with(service);
    kairos_handle_t channel = KAIROS_HANDLE_INVALID;
    kairos_status_t status = connect_session(session, KAIROS_HANDLE_INVALID, channel);
    if (status < 0) return status;
    status = call(channel, request, reply, opened);
    if (status != -EPIPE) return status;
    status = connect_session(session, channel, channel);
    return status < 0 ? status : call(channel, request, reply, opened);
}

kairos_status_t set_name(char (&field)[KAIROS_FILE_NAME_MAX], std::string_view name) {
    if (name.empty()) return -EISDIR;
    if (name.size() >= sizeof(field)) return -ENAMETOOLONG;
    std::memcpy(field, name.data(), name.size());
    return 0;
}

// Cuts `folder` off; false if `path` is not in it.
bool cut_off(std::string_view& path, std::string_view folder) {
    if (!path.starts_with(folder)) return false;
    const std::string_view rest = path.substr(folder.size());
    if (!rest.empty() && rest.front() != '/') return false;
    path = rest.substr(rest.empty() ? 0 : 1);
    return true;
}

}  // namespace

FilePath resolve_path(std::string_view path) {
    if (cut_off(path, "/tmp")) return {KAIROS_TMP_SERVICE, path};
    if (cut_off(path, "/boot") || cut_off(path, ".")) return {KAIROS_ARCHIVE_SERVICE, path};
    if (path.starts_with('/')) path.remove_prefix(1);
    return {KAIROS_ARCHIVE_SERVICE, path};
}

kairos_status_t ask_about_file(std::string_view path, uint32_t kind, uint32_t flags,
                               kairos_files_reply& reply, Handle* opened) {
    if (path.empty()) return -ENOENT;
    const FilePath place = resolve_path(path);
    kairos_files_request request = {};
    request.kind = kind;
    request.flags = flags;
    const kairos_status_t status = set_name(request.name, place.name);
    return status < 0 ? status : ask(place.service, request, reply, opened);
}

kairos_status_t rename_file(std::string_view from, std::string_view to) {
    const FilePath old_place = resolve_path(from);
    const FilePath new_place = resolve_path(to);
    if (std::strcmp(old_place.service, new_place.service) != 0) return -EXDEV;
    kairos_files_request request = {};
    request.kind = KAIROS_FILES_RENAME;
    kairos_status_t status = set_name(request.name, old_place.name);
    if (status >= 0) status = set_name(request.new_name, new_place.name);
    kairos_files_reply reply;
    return status < 0 ? status : ask(old_place.service, request, reply);
}

kairos_status_t list_file(const char* service, uint64_t after, kairos_files_reply& reply) {
    kairos_files_request request = {};
    request.kind = KAIROS_FILES_LIST;
    request.after = after;
    return ask(service, request, reply);
}

}  // namespace kairos::internal
