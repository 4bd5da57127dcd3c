// What open() has opened: which descriptors are files, and the calls on them.
//
// A descriptor of a file is one of the kernel's, so that it has a number like any other, and a
// record here. Copies share the file, with its position. A descriptor without a record is the
// kernel's alone.
#pragma once

#include <sys/stat.h>

#include <kairos/handle.hpp>
#include <span>
#include <utility>

#include "../lib/file_view.hpp"
#include "../protocols/files.h"

namespace kairos::internal {

class OpenFile {
  public:
    // Over a channel to a file server.
    OpenFile(Handle channel, int flags) : channel_(std::move(channel)), flags_(flags) {}
    // Of the archive that the program was given, for reading.
    explicit OpenFile(const FileView& view) : view_(view), flags_(0) {}

    // As the POSIX functions, with negative error numbers. BLOCK until the server answers or ends.
    kairos_status_t read(void* buffer, size_t size);
    kairos_status_t write(const void* bytes, size_t size);
    kairos_status_t seek(off_t offset, int whence);
    kairos_status_t stat(struct stat& out);
    kairos_status_t truncate(off_t length);

    const Handle& channel() const { return channel_; }
    int flags() const { return flags_; }  // of open: O_ACCMODE, O_APPEND

  private:
    friend struct OpenFileTable;

    kairos_status_t read_piece(void* buffer, size_t size);
    kairos_status_t read_view(void* buffer, size_t size);
    kairos_status_t ask_server(std::span<const std::byte> request, std::span<std::byte> reply);
    kairos_status_t ask(const kairos_file_request& request, kairos_file_reply& reply);
    kairos_status_t seek_view(off_t offset, int whence);

    Handle channel_;  // empty: the view is what is read
    FileView view_;
    uint64_t position_ = 0;  // of the view; see read_view
    int flags_;
    uint32_t references_ = 0;  // guarded by the table's lock
};

// Keeps a file open while it is used.
class OpenFileReference {
  public:
    OpenFileReference() = default;
    explicit OpenFileReference(OpenFile* file) : file_(file) {}  // one that was counted already
    OpenFileReference(OpenFileReference&& other) noexcept
        : file_(std::exchange(other.file_, nullptr)) {}
    OpenFileReference& operator=(OpenFileReference&&) = delete;
    ~OpenFileReference();

    explicit operator bool() const { return file_ != nullptr; }
    OpenFile* operator->() const { return file_; }

  private:
    OpenFile* file_ = nullptr;
};

// The file that the descriptor is; empty if it is none.
OpenFileReference find_open_file(int fd);

// Whether there may be any.
bool any_open_files();

// Gives the file a descriptor, the lowest free one. Errors as kairos_fd_from_handle.
kairos_status_t add_open_file(OpenFile* file, uint32_t fd_flags);

// close, dup and dup2 of any descriptor, with the record if it has one.
kairos_status_t close_descriptor(int fd);
kairos_status_t duplicate_descriptor(int fd, uint32_t from, uint32_t flags);
kairos_status_t duplicate_descriptor_to(int fd, int to);

}  // namespace kairos::internal
