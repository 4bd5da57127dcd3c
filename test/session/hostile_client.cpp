// hostile_client: a program that misuses every channel it can reach: the names handle and sessions
// with the file servers and the console. Prints a line for each attack, and "survived" if every
// server still answers afterwards. It must never be needed to trust what this program sends.
#include <kairos/channel.hpp>

#include <array>
#include <cstdio>
#include <cstring>
#include <vector>

#include "apps/common/connect.hpp"
#include "apps/common/text_field.hpp"
#include "protocols/console.h"
#include "protocols/files.h"

namespace {

using kairos::Channel;
using kairos::Error;

constexpr kairos::SendOptions kAtOnce = {.options = KCHANNEL_OPT_NONBLOCK};

kairos_time_t soon() { return kairos::after(5 * kairos::kSecond); }

std::array<std::byte, KCHANNEL_MAX_MSG_BYTES> garbage;

// Sends messages of many lengths, most of them with handles that nobody asked for.
void send_garbage(const Channel& channel) {
    for (size_t size : {size_t{0}, size_t{1}, size_t{4}, size_t{40}, size_t{72}, size_t{4096},
                        size_t{4097}, garbage.size()}) {
        std::array<kairos::Handle, KCHANNEL_MAX_MSG_HANDLES> handles;
        for (kairos::Handle& handle : handles) {
            kairos_handle_t event = KAIROS_HANDLE_INVALID;
            kairos_event_create(&event);
            handle.reset(event);
        }
        channel.send(kairos::Bytes(garbage).first(size), handles, kAtOnce);
        channel.send(kairos::Bytes(garbage).first(size), {}, kAtOnce);
    }
}

void attack_names() {
    std::printf("names: garbage\n");
    send_garbage(common::names_handle());

    std::printf("names: connections without a channel, and with names that do not end\n");
    kairos_names_request request = {.kind = KAIROS_NAMES_CONNECT, .reserved = 0, .name = {}};
    std::memset(request.name, 'x', sizeof(request.name));
    common::names_handle().send(request, {}, kAtOnce);
    std::strcpy(request.name, "archive");
    kairos_handle_t event = KAIROS_HANDLE_INVALID;
    kairos_event_create(&event);
    kairos::Handle not_a_channel(event);
    common::names_handle().send(request, std::span(&not_a_channel, 1), kAtOnce);

    std::printf("names: managing without the right to\n");
    for (uint32_t kind : {KAIROS_NAMES_ADD_SERVICE, KAIROS_NAMES_REMOVE_SERVICE}) {
        request.kind = kind;
        common::names_handle().send(request, {}, kAtOnce);
    }

    std::printf("names: a hundred connections that nobody waits for\n");
    request.kind = KAIROS_NAMES_CONNECT;
    for (int i = 0; i < 100; ++i) {
        auto ends = Channel::create();
        if (!ends) break;
        kairos::Handle end = std::move(ends->second);
        common::names_handle().send(request, std::span(&end, 1), kAtOnce);
    }
}

void attack_session(const char* service) {
    std::printf("%s: garbage\n", service);
    if (auto session = common::connect(service, soon())) send_garbage(*session);

    std::printf("%s: requests whose replies nobody takes\n", service);
    if (auto session = common::connect(service, soon())) {
        for (uint32_t i = 0; i < 1000; ++i) {
            kairos_files_request request = {};
            request.kind = 1 + i % 7;
            if (!session->send(request, {}, {.deadline = soon()})) break;
        }
    }

    std::printf("%s: as many sessions as there can be\n", service);
    std::vector<Channel> sessions;
    while (true) {
        auto session = common::connect(service, soon());
        if (!session) {
            std::printf("%s: refused after %zu: %s\n", service, sessions.size(),
                        kairos::text_of(session.error()));
            break;
        }
        sessions.push_back(std::move(*session));
    }
}

void attack_console_streams() {
    auto session = common::connect(KAIROS_CONSOLE_SERVICE, soon());
    if (!session) return;
    std::printf("console: as many outputs as there can be\n");
    std::vector<kairos::Handle> streams;
    while (true) {
        const kairos_console_request request = {
            .kind = KAIROS_CONSOLE_OPEN_OUTPUT, .mode = 0, .input = 0};
        kairos::MessageBuffer<sizeof(kairos_console_reply)> buffer;
        if (!session->call(kairos::bytes_of(request), buffer, {}, soon())) break;
        const auto reply = buffer.as<kairos_console_reply>();
        if (!reply || reply->status < 0) break;
        streams.push_back(buffer.take_handle());
    }
    std::printf("console: refused after %zu\n", streams.size());
    std::printf("console: closing inputs of others\n");
    for (uint64_t input = 0; input < 100; ++input) {
        const kairos_console_request request = {
            .kind = KAIROS_CONSOLE_CLOSE_INPUT, .mode = 0, .input = input};
        const auto reply = session->call<kairos_console_reply>(request, soon());
        if (!reply || reply->status != -ENOENT) std::printf("console: closed %d\n", int(input));
    }
}

// Opens all that a client may, reads no stream, and sends files what is no request.
void attack_files(const char* service) {
    const auto session = common::connect(service, soon());
    if (!session) return;
    kairos_files_request request = {};
    std::strcpy(request.name, "welcome.txt");
    request.flags = KAIROS_FILES_READ;
    if (std::strcmp(service, KAIROS_TMP_SERVICE) == 0) {
        request.flags = KAIROS_FILES_WRITE | KAIROS_FILES_CREATE;
    }
    std::vector<Channel> opened;
    for (bool refused = false; !refused;) {
        request.kind = opened.size() % 2 == 0 ? KAIROS_FILES_OPEN : KAIROS_FILES_OPEN_STREAM;
        kairos::MessageBuffer<sizeof(kairos_files_reply)> buffer;
        const auto called = session->call(kairos::bytes_of(request), buffer, {}, soon());
        const auto reply = called ? buffer.as<kairos_files_reply>() : std::nullopt;
        refused = !reply || reply->status < 0;
        if (!refused) opened.emplace_back(buffer.take_handle().release());
    }
    std::printf("%s: refused after %zu\n", service, opened.size());
    for (const Channel& channel : opened) send_garbage(channel);

    std::printf("%s: files that cannot be\n", service);
    for (uint32_t kind = 0; kind < 10; ++kind) {
        for (uint32_t flags : {0u, 1u, 4u, 8u, 11u, 0x80000003u, ~0u}) {
            request.kind = kind;
            request.flags = flags;
            std::memset(request.name, flags % 2 == 0 ? 'x' : 0, sizeof(request.name));
            static_cast<void>(session->call<kairos_files_reply>(request, soon()));
        }
    }
}

// Files of ours must not be in the way of others.
bool tmp_answers() {
    const auto session = common::connect(KAIROS_TMP_SERVICE, KAIROS_TIME_INFINITE);
    if (!session) return false;
    kairos_files_request request = {};
    request.kind = KAIROS_FILES_REMOVE;
    std::strcpy(request.name, "welcome.txt");
    const auto reply = session->call<kairos_files_reply>(request);
    return reply && (reply->status == 0 || reply->status == -ENOENT);
}

// The servers may still be busy with what was sent, and clients that were let go still leave.
bool archive_answers() {
    for (int attempt = 0; attempt < 100; ++attempt) {
        const auto archive = common::connect(KAIROS_ARCHIVE_SERVICE, soon());
        kairos_files_request request = {};
        request.kind = KAIROS_FILES_STAT;
        std::strcpy(request.name, "manifest");
        const auto reply = archive ? archive->call<kairos_files_reply>(request, soon())
                                   : std::unexpected(archive.error());
        if (reply && reply->status == 0) return true;
        kairos_sleep_until(kairos::after(50 * kairos::kMillisecond));
    }
    return false;
}

}  // namespace

int main() {
    attack_names();
    attack_session(KAIROS_ARCHIVE_SERVICE);
    attack_session(KAIROS_TMP_SERVICE);
    attack_session(KAIROS_CONSOLE_SERVICE);
    attack_files(KAIROS_ARCHIVE_SERVICE);
    attack_files(KAIROS_TMP_SERVICE);
    attack_console_streams();
    const bool survived = archive_answers() && tmp_answers();
    std::printf("%s\n", survived ? "survived" : "a server does not answer");
    return survived ? 0 : 1;
}
