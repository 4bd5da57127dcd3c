// What a file server serves: a set of named files. Statuses are 0 or a negative error number.
// Portable: no kernel behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace files {

class File {
  public:
    virtual ~File() = default;

    // Above 0, and no other file's as long as this one lives.
    virtual uint64_t number() const = 0;
    virtual uint64_t size() const = 0;

    // Copies what there is from `offset` on, up to the size of `out`: how much.
    virtual size_t read(uint64_t offset, std::span<std::byte> out) const = 0;

    // All of `bytes` or nothing; a gap before them becomes zeros. -EROFS, -EFBIG, -ENOSPC.
    virtual int write(uint64_t offset, std::span<const std::byte> bytes) = 0;
    virtual int resize(uint64_t size) = 0;
};

// A file as it is listed; the name is good until the volume changes.
struct Entry {
    uint64_t number;
    uint64_t size;
    std::string_view name;
};

struct Opened {
    int status;
    std::shared_ptr<File> file;  // null after an error
};

class Volume {
  public:
    // `flags` (KAIROS_FILES_*) make sense; what they ask for is done. -EINVAL: no such name can be;
    // -ENOENT, -EEXIST, -EROFS, -ENOSPC.
    virtual Opened open(std::string_view name, uint32_t flags) = 0;

    virtual std::optional<Entry> find(std::string_view name) const = 0;
    // The file with the least number above `number`.
    virtual std::optional<Entry> next(uint64_t number) const = 0;

    virtual int remove(std::string_view name) = 0;
    virtual int rename(std::string_view from, std::string_view to) = 0;

  protected:
    ~Volume() = default;
};

}  // namespace files
