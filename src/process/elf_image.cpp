#include "process/elf_image.h"

#include <algorithm>
#include <cstring>

#include "arch/paging.h"
#include "base/types.h"

namespace {

// Copies a struct out of the file; it need not be aligned there. False: beyond the end.
template <typename T>
bool read_at(std::span<const uint8_t> file, uint64_t offset, T& out) {
    if (offset > file.size() || sizeof(T) > file.size() - offset) return false;
    std::memcpy(&out, file.data() + offset, sizeof(T));
    return true;
}

bool acceptable(const kairos_elf_header& header) {
    return header.magic == KAIROS_ELF_MAGIC && header.file_class == KAIROS_ELF_CLASS_64 &&
           header.data_encoding == KAIROS_ELF_LITTLE_ENDIAN &&
           (header.type == KAIROS_ELF_TYPE_FIXED || header.type == KAIROS_ELF_TYPE_MOVABLE) &&
           header.machine == KAIROS_ELF_MACHINE_RISCV &&
           header.segment_entry_size == sizeof(kairos_elf_segment);
}

}  // namespace

Result<ElfImage> ElfImage::open(std::span<const uint8_t> file) {
    kairos_elf_header header;
    if (!read_at(file, 0, header) || !acceptable(header)) return Fail(Error::NOEXEC);
    ElfImage image;
    image.movable_ = header.type == KAIROS_ELF_TYPE_MOVABLE;
    image.entry_ = header.entry;
    if (header.segments_offset > file.size()) return Fail(Error::NOEXEC);
    for (uint64_t i = 0; i < header.segment_count; ++i) {
        kairos_elf_segment segment;
        if (!read_at(file, header.segments_offset + i * sizeof(segment), segment)) {
            return Fail(Error::NOEXEC);
        }
        if (segment.type == KAIROS_ELF_SEGMENT_INTERPRETER) return Fail(Error::NOEXEC);
        if (segment.type == KAIROS_ELF_SEGMENT_LOAD && segment.memory_size != 0) {
            TRY(image.add_segment(file, segment));
        }
    }
    const bool entry_inside = std::ranges::any_of(image.segments(), [&](const Segment& segment) {
        return segment.executable && image.entry_ >= segment.address &&
               image.entry_ - segment.address < segment.memory_size;
    });
    if (!entry_inside) return Fail(Error::NOEXEC);
    return image;
}

// Segments come in rising order and share no page, so that each can be mapped with its own rights.
Status ElfImage::add_segment(std::span<const uint8_t> file, const kairos_elf_segment& header) {
    const bool fits_file = header.file_offset <= file.size() &&
                           header.file_size <= file.size() - header.file_offset &&
                           header.file_size <= header.memory_size;
    const bool fits_space =
        header.address < arch::kUserEnd && header.memory_size <= arch::kUserEnd - header.address;
    const bool rights_ok = (header.flags & KAIROS_ELF_SEGMENT_WRITE) == 0 ||
                           (header.flags & KAIROS_ELF_SEGMENT_EXECUTE) == 0;
    if (!fits_file || !fits_space || !rights_ok || count_ == KAIROS_ELF_MAX_SEGMENTS) {
        return Fail(Error::NOEXEC);
    }
    const uint64_t begin = header.address & ~(kPageSize - 1);
    if (count_ != 0 && begin < end_) return Fail(Error::NOEXEC);
    if (!movable_ && begin < arch::kUserBegin) return Fail(Error::NOEXEC);
    begin_ = std::min(begin_, begin);
    end_ = round_up_to_page(header.address + header.memory_size);
    segments_[count_++] = {.file_offset = header.file_offset,
                           .address = header.address,
                           .file_size = header.file_size,
                           .memory_size = header.memory_size,
                           .readable = (header.flags & KAIROS_ELF_SEGMENT_READ) != 0,
                           .writable = (header.flags & KAIROS_ELF_SEGMENT_WRITE) != 0,
                           .executable = (header.flags & KAIROS_ELF_SEGMENT_EXECUTE) != 0};
    return {};
}
