// The boot archive as a memory object, mapped read-only. Its numbers are checked once, when it is
// opened; from then on every entry lies inside it.
#pragma once

#include <kairos/archive.h>
#include <kairos/memory.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

namespace common {

class ArchiveImage {
  public:
    // Maps `memory`, which stays the caller's. -EINVAL if it is not a sound boot archive; other
    // errors as kairos_memory_read and kairos_map.
    static kairos::Result<ArchiveImage> open(const kairos::Memory& memory) {
        kairos_archive_header header;
        const auto read = memory.read(0, std::as_writable_bytes(std::span(&header, 1)));
        if (!read) return std::unexpected(read.error());
        const bool is_archive =
            header.magic == KAIROS_ARCHIVE_MAGIC && header.size >= sizeof(header);
        if (!is_archive) return std::unexpected(kairos::Error::INVAL);
        auto mapping = memory.map(0, header.size, KPROT_READ);
        if (!mapping) return std::unexpected(mapping.error());
        ArchiveImage image(std::move(*mapping), header.count);
        if (!image.is_sound()) return std::unexpected(kairos::Error::INVAL);
        return image;
    }

    uint32_t count() const { return count_; }

    // The entry with the number `file`, which must be less than count().
    const kairos_archive_entry& entry(uint32_t file) const { return entries()[file]; }

    // The number of the file called `name`; count() if there is none.
    uint32_t find(std::string_view name) const {
        const auto found = std::ranges::find(
            entries(), name,
            [](const kairos_archive_entry& entry) { return std::string_view(entry.name); });
        return static_cast<uint32_t>(found - entries().begin());
    }

    std::string_view contents(uint32_t file) const {
        const kairos_archive_entry& place = entry(file);
        return {reinterpret_cast<const char*>(mapping_.data() + place.offset), place.size};
    }

  private:
    ArchiveImage(kairos::Mapping mapping, uint32_t count)
        : mapping_(std::move(mapping)), count_(count) {}

    std::span<const kairos_archive_entry> entries() const {
        const std::byte* first = mapping_.data() + sizeof(kairos_archive_header);
        return {reinterpret_cast<const kairos_archive_entry*>(first), count_};
    }

    bool is_sound() const {
        const uint64_t size = mapping_.size();
        const uint64_t room = size - sizeof(kairos_archive_header);
        if (count_ > room / sizeof(kairos_archive_entry)) return false;
        return std::ranges::all_of(entries(), [size](const kairos_archive_entry& entry) {
            const bool is_inside = entry.offset <= size && entry.size <= size - entry.offset;
            const bool is_named = std::ranges::find(entry.name, '\0') != std::end(entry.name);
            return is_inside && is_named;
        });
    }

    kairos::Mapping mapping_;
    uint32_t count_;
};

}  // namespace common
