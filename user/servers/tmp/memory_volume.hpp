// Files in memory. Their bytes lie in chunks, which are there where something was written, and are
// counted: the sum is bounded, so that files cannot take the machine's memory. A file whose name
// is gone lives, and counts, as long as something has it open. Portable logic.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "servers/common/volume.hpp"

namespace tmp {

// How many chunks there are in all files together.
struct Room {
    size_t chunks_max;
    size_t chunks = 0;
};

class MemoryFile final : public files::File {
  public:
    static constexpr size_t kChunk = 4096;

    MemoryFile(uint64_t number, std::shared_ptr<Room> room)
        : number_(number), room_(std::move(room)) {}
    ~MemoryFile() override { release_from(0); }

    uint64_t number() const override { return number_; }
    uint64_t size() const override { return size_; }
    size_t read(uint64_t offset, std::span<std::byte> out) const override;
    int write(uint64_t offset, std::span<const std::byte> bytes) override;
    int resize(uint64_t size) override;

  private:
    using Chunk = std::array<std::byte, kChunk>;

    int reserve(uint64_t begin, uint64_t end);
    void release_from(size_t chunk);

    uint64_t number_;
    std::shared_ptr<Room> room_;
    uint64_t size_ = 0;
    // Of a hole: null. Bytes of a chunk behind the file's end are zeros.
    std::vector<std::unique_ptr<Chunk>> chunks_;
};

class MemoryVolume final : public files::Volume {
  public:
    static constexpr size_t kNameMax = 47;  // bytes

    MemoryVolume(size_t files_max, size_t bytes_max)
        : files_max_(files_max),
          room_(std::make_shared<Room>(Room{bytes_max / MemoryFile::kChunk})) {}

    files::Opened open(std::string_view name, uint32_t flags) override;
    std::optional<files::Entry> find(std::string_view name) const override;
    std::optional<files::Entry> next(uint64_t number) const override;
    int remove(std::string_view name) override;
    int rename(std::string_view from, std::string_view to) override;

  private:
    struct Named {
        std::string name;
        std::shared_ptr<MemoryFile> file;
    };

    static bool is_name(std::string_view name);
    size_t place(std::string_view name) const;

    const size_t files_max_;
    std::shared_ptr<Room> room_;
    uint64_t last_number_ = 0;
    std::vector<Named> names_;  // by rising numbers
};

}  // namespace tmp
