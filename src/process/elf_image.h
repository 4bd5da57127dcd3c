// A program's ELF file, checked: everything that a loader relies on has been proved when open()
// succeeds. Works on bytes in memory; maps nothing.
#pragma once

#include <cstdint>
#include <span>

#include "abi/elf.h"
#include "base/result.h"

class ElfImage {
  public:
    // -ENOEXEC: not a static RV64 program, or one whose headers contradict each other or the file.
    static Result<ElfImage> open(std::span<const uint8_t> file);

    struct Segment {
        uint64_t file_offset;
        uint64_t address;  // before the load bias
        uint64_t file_size;
        uint64_t memory_size;
        bool readable, writable, executable;

        // Whether the file's pages can be mapped as they are.
        bool mappable_from_file() const {
            return !writable && file_size == memory_size && file_offset % 4096 == address % 4096;
        }
    };

    std::span<const Segment> segments() const { return {segments_, count_}; }
    bool movable() const { return movable_; }
    uint64_t entry() const { return entry_; }
    // Page-aligned limits of all segments, before the load bias.
    uint64_t begin() const { return begin_; }
    uint64_t end() const { return end_; }

  private:
    Status add_segment(std::span<const uint8_t> file, const kairos_elf_segment& header);

    Segment segments_[KAIROS_ELF_MAX_SEGMENTS];
    uint32_t count_ = 0;
    bool movable_ = false;
    uint64_t entry_ = 0;
    uint64_t begin_ = UINT64_MAX;
    uint64_t end_ = 0;
};
