// The boot archive as the files of a server: they can be read, and never change.
#pragma once

#include <errno.h>

#include <cstring>

#include "apps/common/archive_image.hpp"
#include "servers/common/open_flags.hpp"
#include "servers/common/volume.hpp"

namespace archive {

class ArchiveFile final : public files::File {
  public:
    ArchiveFile(uint64_t number, std::string_view contents)
        : number_(number), contents_(contents) {}

    uint64_t number() const override { return number_; }
    uint64_t size() const override { return contents_.size(); }
    size_t read(uint64_t offset, std::span<std::byte> out) const override {
        if (offset >= contents_.size()) return 0;
        const std::string_view bytes = contents_.substr(offset, out.size());
        std::memcpy(out.data(), bytes.data(), bytes.size());
        return bytes.size();
    }
    int write(uint64_t, std::span<const std::byte>) override { return -EROFS; }
    int resize(uint64_t) override { return -EROFS; }

  private:
    uint64_t number_;
    std::string_view contents_;
};

// A file's number is one more than its place in the archive.
class ArchiveVolume final : public files::Volume {
  public:
    // `image` must outlive the volume.
    explicit ArchiveVolume(const common::ArchiveImage& image) : image_(image) {}

    files::Opened open(std::string_view name, uint32_t flags) override {
        const uint32_t at = image_.find(name);
        const bool found = at < image_.count();
        if (found && files::has(flags, KAIROS_FILES_EXCLUSIVE)) return {-EEXIST, nullptr};
        if (!found && !files::has(flags, KAIROS_FILES_CREATE)) return {-ENOENT, nullptr};
        if (files::has(flags, KAIROS_FILES_WRITE)) return {-EROFS, nullptr};
        return {0, std::make_shared<ArchiveFile>(at + 1, image_.contents(at))};
    }
    std::optional<files::Entry> find(std::string_view name) const override {
        return entry(image_.find(name));
    }
    std::optional<files::Entry> next(uint64_t number) const override { return entry(number); }
    int remove(std::string_view name) override { return find(name) ? -EROFS : -ENOENT; }
    int rename(std::string_view from, std::string_view) override { return remove(from); }

  private:
    std::optional<files::Entry> entry(uint64_t at) const {
        if (at >= image_.count()) return std::nullopt;
        const kairos_archive_entry& found = image_.entry(static_cast<uint32_t>(at));
        return files::Entry{at + 1, found.size, found.name};
    }

    const common::ArchiveImage& image_;
};

}  // namespace archive
