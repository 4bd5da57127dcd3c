// Open files; see the header.
#include "open_files.hpp"

#include <errno.h>
#include <fcntl.h>
#include <kairos/kairos.h>
#include <kairos/sync.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "ask.hpp"

namespace kairos::internal {

static_assert(SEEK_SET == KAIROS_FILE_FROM_START && SEEK_CUR == KAIROS_FILE_FROM_POSITION &&
              SEEK_END == KAIROS_FILE_FROM_END);

// ---- Calls on a file ----------------------------------------------------------------------------

// Nobody waits for this file's bytes: that the server has gone is no broken pipe.
kairos_status_t OpenFile::ask_server(std::span<const std::byte> request,
                                     std::span<std::byte> reply) {
    const kairos_status_t status = ask_bytes(channel_.get(), request, reply);
    return status == -EPIPE ? -EIO : status;
}

kairos_status_t OpenFile::read(void* buffer, size_t size) {
    if (!channel_) return read_view(buffer, size);
    char* to = static_cast<char*>(buffer);
    size_t done = 0;
    while (done < size) {
        const size_t wanted = std::min<size_t>(size - done, KAIROS_FILE_DATA_MAX);
        const kairos_status_t got = read_piece(to + done, wanted);
        if (got < 0) return done != 0 ? static_cast<kairos_status_t>(done) : got;
        done += static_cast<size_t>(got);
        if (static_cast<size_t>(got) < wanted) break;
    }
    return static_cast<kairos_status_t>(done);
}

kairos_status_t OpenFile::read_piece(void* buffer, size_t size) {
    const kairos_file_request request = {
        .kind = KAIROS_FILE_READ, .whence = 0, .offset = 0, .length = size};
    kairos_file_data data;
    const kairos_status_t came = ask_server(bytes_of(request), writable_bytes_of(data));
    if (came < 0) return came;
    if (static_cast<size_t>(came) < sizeof(data.status)) return -EIO;
    if (data.status < 0) return data.status;
    const size_t length = static_cast<size_t>(came) - sizeof(data.status);
    if (length > size || length != static_cast<size_t>(data.status)) return -EIO;
    std::memcpy(buffer, data.bytes, length);
    return data.status;
}

// The archive never changes and its calls are short; only the position is shared between threads,
// and two that read at once may get the same bytes.
kairos_status_t OpenFile::read_view(void* buffer, size_t size) {
    std::atomic_ref<uint64_t> position(position_);
    const uint64_t from = position.load(std::memory_order_relaxed);
    if (from >= view_.size) return 0;
    const size_t length = std::min<uint64_t>(size, view_.size - from);
    const kairos_status_t status = view_.read(from, buffer, length);
    if (status < 0) return status;
    position.store(from + length, std::memory_order_relaxed);
    return static_cast<kairos_status_t>(length);
}

kairos_status_t OpenFile::write(const void* bytes, size_t size) {
    if (!channel_) return -EBADF;
    struct {
        kairos_file_request request;
        char bytes[KAIROS_FILE_DATA_MAX];
    } message;
    message.request = {.kind = KAIROS_FILE_WRITE, .whence = 0, .offset = 0, .length = 0};
    const char* from = static_cast<const char*>(bytes);
    size_t done = 0;
    while (done < size) {
        const size_t piece = std::min(size - done, sizeof(message.bytes));
        std::memcpy(message.bytes, from + done, piece);
        kairos_file_reply reply;
        kairos_status_t status = ask_server(
            bytes_of(message).first(sizeof(message.request) + piece), writable_bytes_of(reply));
        if (status >= 0) status = status == sizeof(reply) ? reply.status : -EIO;
        if (status < 0) return done != 0 ? static_cast<kairos_status_t>(done) : status;
        done += piece;
    }
    return static_cast<kairos_status_t>(done);
}

kairos_status_t OpenFile::ask(const kairos_file_request& request, kairos_file_reply& reply) {
    const kairos_status_t status = ask_server(bytes_of(request), writable_bytes_of(reply));
    if (status < 0) return status;
    return status == sizeof(reply) ? reply.status : -EIO;
}

kairos_status_t OpenFile::seek(off_t offset, int whence) {
    if (whence < SEEK_SET || whence > SEEK_END) return -EINVAL;
    if (!channel_) return seek_view(offset, whence);
    kairos_file_reply reply;
    return ask({.kind = KAIROS_FILE_SEEK,
                .whence = static_cast<uint32_t>(whence),
                .offset = offset,
                .length = 0},
               reply);
}

kairos_status_t OpenFile::seek_view(off_t offset, int whence) {
    const uint64_t bases[] = {0, position_, view_.size};
    int64_t position;
    if (__builtin_add_overflow(static_cast<int64_t>(bases[whence]), offset, &position) ||
        position < 0) {
        return -EINVAL;
    }
    position_ = static_cast<uint64_t>(position);
    return position;
}

kairos_status_t OpenFile::stat(struct stat& out) {
    kairos_file_reply reply = {.status = 0, .number = 0, .size = view_.size};
    if (channel_) {
        const kairos_status_t status =
            ask({.kind = KAIROS_FILE_STAT, .whence = 0, .offset = 0, .length = 0}, reply);
        if (status < 0) return status;
    }
    out = {};
    out.st_mode = S_IFREG | S_IRUSR | ((flags_ & O_ACCMODE) != O_RDONLY ? S_IWUSR : 0);
    out.st_ino = static_cast<ino_t>(reply.number);
    out.st_nlink = 1;
    out.st_size = static_cast<off_t>(reply.size);
    out.st_blksize = KAIROS_FILE_DATA_MAX;
    return 0;
}

kairos_status_t OpenFile::truncate(off_t length) {
    if (length < 0 || !channel_) return -EINVAL;
    kairos_file_reply reply;
    const kairos_status_t status = ask({.kind = KAIROS_FILE_TRUNCATE,
                                        .whence = 0,
                                        .offset = 0,
                                        .length = static_cast<uint64_t>(length)},
                                       reply);
    return status == -EBADF ? -EINVAL : status;
}

// ---- Which descriptors are files ----------------------------------------------------------------

struct OpenFileTable {
    struct Record {
        int fd;
        OpenFile* file;
        Record* next;
    };

    class Locked {
      public:
        explicit Locked(OpenFileTable& table) : table_(table) { kairos_mutex_lock(&table.lock); }
        ~Locked() { kairos_mutex_unlock(&table_.lock); }
        Locked(const Locked&) = delete;
        Locked& operator=(const Locked&) = delete;

      private:
        OpenFileTable& table_;
    };

    OpenFile* find(int fd) {
        for (const Record* record = first.load(std::memory_order_relaxed); record != nullptr;
             record = record->next) {
            if (record->fd == fd) return record->file;
        }
        return nullptr;
    }

    void add(Record* record, int fd, OpenFile* file) {
        ++file->references_;
        *record = {fd, file, first.load(std::memory_order_relaxed)};
        first.store(record, std::memory_order_relaxed);
    }

    // The file of the record, whose reference is the caller's now; null if there was none.
    OpenFile* remove(int fd) {
        Record* before = nullptr;
        for (Record* record = first.load(std::memory_order_relaxed); record != nullptr;
             before = record, record = record->next) {
            if (record->fd != fd) continue;
            if (before != nullptr) {
                before->next = record->next;
            } else {
                first.store(record->next, std::memory_order_relaxed);
            }
            OpenFile* file = record->file;
            free(record);
            return file;
        }
        return nullptr;
    }

    static void keep(OpenFile* file) { ++file->references_; }

    void release(OpenFile* file) {
        if (file == nullptr) return;
        {
            const Locked locked(*this);
            if (--file->references_ != 0) return;
        }
        delete file;
    }

    // Programs without files do not take the lock: a descriptor that another thread is only just
    // opening is not this one's to use.
    bool empty() const { return first.load(std::memory_order_relaxed) == nullptr; }

    kairos_mutex lock = KAIROS_MUTEX_INIT;
    std::atomic<Record*> first = nullptr;  // the list is guarded by the lock
};

namespace {

using Record = OpenFileTable::Record;
using Locked = OpenFileTable::Locked;

constinit OpenFileTable table;

Record* make_record() { return static_cast<Record*>(malloc(sizeof(Record))); }

// A kernel descriptor to stand for the file, which can do no more than that.
kairos_status_t make_descriptor(const OpenFile& file, uint32_t flags) {
    int fd = -1;
    if (file.channel()) {
        const kairos_status_t status = kairos_fd_from_handle(file.channel().get(), flags, &fd);
        if (status < 0) return status;
    } else {
        const kairos_status_t console = kairos_fd_console(flags);
        if (console < 0) return console;
        fd = static_cast<int>(console);
    }
    const int access = file.flags() & O_ACCMODE;
    const uint32_t rights = (access != O_WRONLY ? FD_RIGHT_READ : 0) |
                            (access != O_RDONLY ? FD_RIGHT_WRITE : 0) | FD_RIGHT_DUP;
    kairos_fd_rights_limit(fd, rights);
    return fd;
}

}  // namespace

OpenFileReference::~OpenFileReference() { table.release(file_); }

OpenFileReference find_open_file(int fd) {
    if (table.empty()) return {};
    const Locked locked(table);
    OpenFile* file = table.find(fd);
    if (file != nullptr) OpenFileTable::keep(file);
    return OpenFileReference(file);
}

bool any_open_files() { return !table.empty(); }

kairos_status_t add_open_file(OpenFile* file, uint32_t fd_flags) {
    Record* record = make_record();
    if (record == nullptr) return -ENOMEM;
    const kairos_status_t fd = make_descriptor(*file, fd_flags);
    if (fd < 0) {
        free(record);
        return fd;
    }
    const Locked locked(table);
    table.add(record, static_cast<int>(fd), file);
    return fd;
}

// The record goes first: the number may be another's as soon as it is free.
kairos_status_t close_descriptor(int fd) {
    OpenFile* file = nullptr;
    if (!table.empty()) {
        const Locked locked(table);
        file = table.remove(fd);
    }
    const kairos_status_t status = kairos_fd_close(fd);
    table.release(file);
    return status;
}

kairos_status_t duplicate_descriptor(int fd, uint32_t from, uint32_t flags) {
    if (table.empty()) return kairos_fd_dup(fd, from, flags);
    Record* record = make_record();
    if (record == nullptr) return -ENOMEM;
    const Locked locked(table);
    const kairos_status_t copy = kairos_fd_dup(fd, from, flags);
    OpenFile* file = copy >= 0 ? table.find(fd) : nullptr;
    if (file != nullptr) {
        table.add(record, static_cast<int>(copy), file);
    } else {
        free(record);
    }
    return copy;
}

kairos_status_t duplicate_descriptor_to(int fd, int to) {
    if (table.empty() || fd == to) return kairos_fd_dup2(fd, to, 0);
    Record* record = make_record();
    if (record == nullptr) return -ENOMEM;
    OpenFile* replaced = nullptr;
    kairos_status_t status;
    {
        const Locked locked(table);
        status = kairos_fd_dup2(fd, to, 0);
        if (status >= 0) replaced = table.remove(to);
        OpenFile* file = status >= 0 ? table.find(fd) : nullptr;
        if (file != nullptr) {
            table.add(record, to, file);
        } else {
            free(record);
        }
    }
    table.release(replaced);
    return status;
}

}  // namespace kairos::internal
