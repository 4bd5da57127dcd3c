// files_client: uses files as programs do, through libc, and as the protocol has them
// (protocols/files.h). Prints each check that fails, and "files are right" if none did.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <kairos/channel.hpp>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "apps/common/connect.hpp"
#include "apps/common/text_field.hpp"
#include "protocols/files.h"

namespace {

int failures = 0;

void check(bool passed, const char* what, int line) {
    if (passed) return;
    std::printf("%d: %s (errno %d)\n", line, what, errno);
    ++failures;
}
#define CHECK(condition) check((condition), #condition, __LINE__)

std::string contents(const char* path) {
    std::string text;
    const int fd = open(path, O_RDONLY);
    char bytes[100];
    ssize_t count;
    while ((count = read(fd, bytes, sizeof(bytes))) > 0) {
        text.append(bytes, static_cast<size_t>(count));
    }
    close(fd);
    return count < 0 ? "unreadable" : text;
}

void use_descriptors() {
    const int fd = open("/tmp/one", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd == 3);
    CHECK(open("/tmp/one", O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST);
    CHECK(write(fd, "hello world", 11) == 11);
    CHECK(lseek(fd, 6, SEEK_SET) == 6);
    char bytes[20] = {};
    CHECK(read(fd, bytes, sizeof(bytes)) == 5 && std::strcmp(bytes, "world") == 0);
    CHECK(read(fd, bytes, sizeof(bytes)) == 0);
    CHECK(lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL);

    const int copy = dup(fd);
    CHECK(copy == 4);
    CHECK(lseek(copy, -5, SEEK_END) == 6);
    CHECK(lseek(fd, 0, SEEK_CUR) == 6);
    CHECK(close(fd) == 0);
    CHECK(read(copy, bytes, 2) == 2 && bytes[0] == 'w');
    CHECK(read(fd, bytes, 1) == -1 && errno == EBADF);

    struct stat found = {};
    CHECK(fstat(copy, &found) == 0 && S_ISREG(found.st_mode) && found.st_size == 11);
    CHECK(!isatty(copy));
    CHECK(ftruncate(copy, 5) == 0 && contents("/tmp/one") == "hello");
    pollfd waiting = {copy, POLLIN | POLLOUT, 0};
    CHECK(poll(&waiting, 1, -1) == 1 && waiting.revents == (POLLIN | POLLOUT));
    CHECK(dup2(copy, 9) == 9 && lseek(9, 0, SEEK_CUR) == 8);
    CHECK(close(9) == 0 && close(copy) == 0);
    CHECK(lseek(copy, 0, SEEK_CUR) == -1 && errno == EBADF);

    const int reader = open("/tmp/one", O_RDONLY);
    CHECK(write(reader, "x", 1) == -1 && errno == EBADF);
    CHECK(ftruncate(reader, 0) == -1 && errno == EINVAL);
    close(reader);
}

// Two descriptors that append take no notice of each other's positions.
void append() {
    const int first = open("/tmp/log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int second = open("/tmp/log", O_WRONLY | O_APPEND);
    for (int i = 0; i < 3; ++i) {
        CHECK(write(first, "a", 1) == 1);
        CHECK(write(second, "b", 1) == 1);
    }
    close(first);
    close(second);
    CHECK(contents("/tmp/log") == "ababab");
    CHECK((open("/tmp/log", O_WRONLY | O_TRUNC) == 3) && close(3) == 0);
    CHECK(contents("/tmp/log").empty());
}

void use_names() {
    const int fd = open("/tmp/old", O_RDWR | O_CREAT, 0600);
    CHECK(write(fd, "kept", 4) == 4);
    CHECK(unlink("/tmp/old") == 0 && access("/tmp/old", F_OK) == -1 && errno == ENOENT);
    CHECK(unlink("/tmp/old") == -1 && errno == ENOENT);
    char bytes[4];
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, bytes, 4) == 4);
    close(fd);
    CHECK(rename("/tmp/one", "/tmp/log") == 0 && contents("/tmp/log") == "hello");
    CHECK(rename("/tmp/one", "/tmp/log") == -1 && errno == ENOENT);
    CHECK(rename("/tmp/log", "/boot/log") == -1 && errno == EXDEV);
    CHECK(open("/tmp/a/b", O_WRONLY | O_CREAT, 0600) == -1 && errno == EINVAL);
    CHECK(open("/tmp", O_RDONLY) == -1 && errno == EISDIR);
    CHECK(open("", O_RDONLY) == -1 && errno == ENOENT);
    CHECK(open("welcome.txt", O_WRONLY) == -1 && errno == EROFS);
    CHECK(unlink("/boot/welcome.txt") == -1 && errno == EROFS);
    CHECK(contents("welcome.txt") == contents("/boot/welcome.txt"));
    CHECK(access("/boot/welcome.txt", R_OK) == 0);
    CHECK(access("/boot/welcome.txt", W_OK) == -1 && errno == EACCES);
    DIR* folder = opendir("/tmp");
    const dirent* entry = readdir(folder);
    CHECK(entry != nullptr && std::strcmp(entry->d_name, "log") == 0);
    CHECK(readdir(folder) == nullptr);
    closedir(folder);
    CHECK(opendir("welcome.txt") == nullptr && errno == ENOTDIR);
}

void use_stdio() {
    FILE* file = std::fopen("/tmp/text", "w+");
    CHECK(file != nullptr);
    for (int i = 0; i < 2000; ++i) std::fprintf(file, "line %d\n", i);
    CHECK(std::fseek(file, 0, SEEK_SET) == 0);
    char line[40] = {};
    for (int i = 0; i < 2000; ++i) CHECK(std::fgets(line, sizeof(line), file) != nullptr);
    CHECK(std::strcmp(line, "line 1999\n") == 0);
    CHECK(std::fgets(line, sizeof(line), file) == nullptr && std::feof(file));
    CHECK(std::fclose(file) == 0);
    file = std::fopen("/tmp/text", "a");
    CHECK(std::fputs("end\n", file) >= 0 && std::fclose(file) == 0);
    CHECK(contents("/tmp/text").ends_with("1999\nend\n"));
    CHECK(std::remove("/tmp/text") == 0);
    FILE* nameless = std::tmpfile();
    CHECK(nameless != nullptr && std::fputs("x", nameless) >= 0 && std::fclose(nameless) == 0);
}

// ---- The protocol
// --------------------------------------------------------------------------------

struct Session {
    kairos::Channel channel;

    kairos_status_t ask(uint32_t kind, uint32_t flags, const char* name,
                        kairos::Channel* opened = nullptr) const {
        kairos_files_request request = {};
        request.kind = kind;
        request.flags = flags;
        common::write_field(request.name, name);
        kairos::MessageBuffer<sizeof(kairos_files_reply)> buffer;
        const auto called = channel.call(kairos::bytes_of(request), buffer);
        const auto reply = called ? buffer.as<kairos_files_reply>() : std::nullopt;
        if (opened != nullptr) opened->reset(buffer.take_handle().release());
        return reply ? reply->status : -EIO;
    }
};

constexpr uint32_t kRead = KAIROS_FILES_READ;
constexpr uint32_t kWrite = KAIROS_FILES_WRITE;
constexpr uint32_t kCreate = KAIROS_FILES_WRITE | KAIROS_FILES_CREATE;

void use_streams(const Session& tmp) {
    kairos::Channel writer;
    CHECK(tmp.ask(KAIROS_FILES_OPEN_STREAM, kCreate, "stream", &writer) == 0);
    std::string model;
    for (int i = 0; i < 300; ++i) {
        const std::string text = "message " + std::to_string(i) + "\n";
        CHECK(writer.send(text).has_value());
        model += text;
    }
    // What was sent is there, though nobody waited for it.
    CHECK(contents("/tmp/stream") == model);
    CHECK(writer.send(std::string(60'000, 'x')).has_value());
    writer.reset();
    model += std::string(60'000, 'x');

    kairos::Channel reader;
    kairos::Channel idle;
    CHECK(tmp.ask(KAIROS_FILES_OPEN_STREAM, kRead, "stream", &idle) == 0);
    CHECK(tmp.ask(KAIROS_FILES_OPEN_STREAM, kRead, "stream", &reader) == 0);
    std::string text;
    kairos::MessageBuffer<KAIROS_FILE_STREAM_MAX> message;
    for (auto more = reader.receive(message); more && *more; more = reader.receive(message)) {
        text += message.text();
    }
    CHECK(text == model);
    // One that was not read is in nobody's way, and brings as much when it is.
    text.clear();
    for (auto more = idle.receive(message); more && *more; more = idle.receive(message)) {
        text += message.text();
    }
    CHECK(text == model);
    CHECK(tmp.ask(KAIROS_FILES_REMOVE, 0, "stream") == 0);
}

// There is an end to everything, and all of it comes back.
void fill(const Session& tmp) {
    const int fd = open("/tmp/large", O_WRONLY | O_CREAT, 0600);
    const std::string block(1 << 16, 'x');
    size_t written = 0;
    while (write(fd, block.data(), block.size()) > 0) written += block.size();
    CHECK(errno == ENOSPC && written >= (8 << 20));
    kairos::Channel stream;
    CHECK(tmp.ask(KAIROS_FILES_OPEN_STREAM, kCreate, "more", &stream) == 0);
    CHECK(stream.send(std::string(60'000, 'x')).has_value());
    CHECK(tmp.ask(KAIROS_FILES_STAT, 0, "more") == 0);
    uint32_t events = 0;
    CHECK(kairos_object_wait(stream.get(), POLLHUP, KAIROS_TIME_INFINITE, &events) == 0);
    CHECK(unlink("/tmp/large") == 0);
    CHECK(write(fd, "x", 1) == -1 && errno == ENOSPC);
    close(fd);
    const int again = open("/tmp/more", O_WRONLY);
    while (write(again, "x", 1) == -1 && errno == ENOSPC) kairos_yield();
    close(again);
    CHECK(unlink("/tmp/more") == 0);
}

void make_mistakes(const Session& tmp) {
    CHECK(tmp.ask(0, 0, "a") == -EINVAL);
    CHECK(tmp.ask(99, 0, "a") == -EINVAL);
    CHECK(tmp.ask(KAIROS_FILES_OPEN, 0, "a") == -EINVAL);
    CHECK(tmp.ask(KAIROS_FILES_OPEN, kRead | KAIROS_FILES_CREATE, "a") == -EINVAL);
    CHECK(tmp.ask(KAIROS_FILES_OPEN, kWrite | KAIROS_FILES_EXCLUSIVE, "a") == -EINVAL);
    CHECK(tmp.ask(KAIROS_FILES_OPEN, 1u << 31 | kRead, "a") == -EINVAL);
    CHECK(tmp.ask(KAIROS_FILES_OPEN_STREAM, kRead | kWrite, "log") == -EINVAL);
    CHECK(tmp.ask(KAIROS_FILES_OPEN, kRead, "") == -EINVAL);
    kairos::Channel file;
    CHECK(tmp.ask(KAIROS_FILES_OPEN, kRead, "log", &file) == 0);
    for (size_t size : {size_t{0}, size_t{1}, sizeof(kairos_file_request) + 1, size_t{60'000}}) {
        kairos::MessageBuffer<sizeof(kairos_file_data)> reply;
        CHECK(file.call(kairos::bytes_of(std::string(size, '\1')), reply).has_value());
        const auto answer = reply.as<kairos_file_reply>();
        CHECK(answer && answer->status == -EINVAL);
    }
    CHECK(contents("/tmp/log") == "hello");
    std::vector<kairos::Channel> opened(100);
    size_t count = 0;
    while (count < 100 && tmp.ask(KAIROS_FILES_OPEN, kRead, "log", &opened[count]) == 0) ++count;
    CHECK(count < 100);
    CHECK(tmp.ask(KAIROS_FILES_OPEN, kRead, "log") == -EMFILE);
    // Others still can.
    CHECK(contents("/tmp/log") == "hello");
    CHECK(unlink("/tmp/log") == 0);
}

}  // namespace

int main() {
    use_descriptors();
    append();
    use_names();
    use_stdio();
    auto connection = common::connect(KAIROS_TMP_SERVICE, KAIROS_TIME_INFINITE);
    CHECK(connection.has_value());
    if (!connection) return 1;
    const Session tmp = {std::move(*connection)};
    use_streams(tmp);
    fill(tmp);
    make_mistakes(tmp);
    if (failures == 0) std::printf("files are right\n");
    return failures != 0;
}
