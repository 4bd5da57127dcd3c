// A program's ELF file, checked: what a loader relies on has been proved when open() succeeds.
#pragma once

#include <kairos/abi/elf.h>

#include <span>

#include "file_view.hpp"

namespace kairos::internal {

class ElfFile {
  public:
    // Segments come in rising order and share no page; no two of WRITE and EXECUTE go together.
    struct Segment {
        uint64_t file_offset;
        uint64_t address;  // as linked
        uint64_t file_size;
        uint64_t memory_size;
        uint32_t protection;  // KPROT_*

        uint64_t first_page() const { return address / KAIROS_PAGE_SIZE * KAIROS_PAGE_SIZE; }
        uint64_t page_offset() const { return address % KAIROS_PAGE_SIZE; }
        // Whether the file's pages can be mapped as they are.
        bool is_mappable() const {
            return (protection & KPROT_WRITE) == 0 && file_size == memory_size &&
                   file_offset % KAIROS_PAGE_SIZE == page_offset();
        }
        // Bytes of all pages that the segment touches.
        uint64_t mapped_size() const {
            const uint64_t size = page_offset() + memory_size;
            return (size + KAIROS_PAGE_SIZE - 1) / KAIROS_PAGE_SIZE * KAIROS_PAGE_SIZE;
        }
    };

    // -ENOEXEC: not a static RV64 program, or one whose headers contradict each other, the file or
    // the room there is; errors as kairos_memory_read.
    kairos_status_t open(const FileView& file);

    std::span<const Segment> segments() const { return {segments_, count_}; }
    // Whether it may lie anywhere, and then: of its pages, and where they begin from now on.
    bool movable() const { return movable_; }
    uint64_t size() const;
    void move_to(uint64_t base);
    // What is to be added to the addresses: 0 for a program that is linked to where it runs.
    uint64_t bias() const { return bias_; }
    uint64_t entry() const { return entry_ + bias_; }
    // The first page above the loaded program.
    uint64_t end() const { return linked_end() + bias_; }

  private:
    kairos_status_t read_segments(const FileView& file, const kairos_elf_header& header);
    bool add_segment(const FileView& file, const kairos_elf_segment& header);
    bool has_entry() const;
    uint64_t linked_end() const;
    bool fits() const;

    Segment segments_[KAIROS_ELF_MAX_SEGMENTS];
    size_t count_ = 0;
    uint64_t entry_ = 0;
    uint64_t bias_ = 0;  // modulo 2^64
    bool movable_ = false;
};

}  // namespace kairos::internal
