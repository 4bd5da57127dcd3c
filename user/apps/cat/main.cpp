// cat [FILE...]: prints files of the boot archive; without one, what comes on stdin.
#include <unistd.h>

#include "apps/common/archive_client.hpp"
#include "apps/common/complain.hpp"

namespace {

// False: nobody reads what we print any more.
bool print(const void* bytes, size_t size) { return write(STDOUT_FILENO, bytes, size) >= 0; }

int print_file(const common::ArchiveClient& archive, const char* name) {
    const auto file = archive.find(name);
    if (!file) return common::complain("cat", name, file.error());
    common::ArchiveClient::Buffer buffer;
    for (uint64_t offset = 0; offset < file->size;) {
        const auto bytes = archive.read(file->file, offset, buffer);
        if (!bytes) return common::complain("cat", name, bytes.error());
        if (!print(bytes->data(), bytes->size())) return 1;
        offset += bytes->size();
    }
    return 0;
}

int print_stdin() {
    char bytes[4096];
    ssize_t count;
    while ((count = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
        if (!print(bytes, static_cast<size_t>(count))) return 1;
    }
    return count == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 1) return print_stdin();
    const auto archive = common::ArchiveClient::connect();
    if (!archive) return common::complain("cat", "archive server", archive.error());
    int result = 0;
    for (int i = 1; i < argc; ++i) result |= print_file(*archive, argv[i]);
    return result;
}
