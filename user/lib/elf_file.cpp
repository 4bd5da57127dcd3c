// Checking ELF files; see the header.
#include "elf_file.hpp"

#include <errno.h>

#include <algorithm>

namespace kairos::internal {

namespace {

// Programs that are linked to where they run lie below this; the kernel chooses addresses above,
// and those of programs that can be moved too. It is also the most that a program can take up.
constexpr uint64_t kImageLimit = uint64_t{1} << 32;
constexpr uint64_t kLowestFixed = KAIROS_PAGE_SIZE;

constexpr size_t kMaxHeaders = 64;  // of segments of any kind

bool is_program(const kairos_elf_header& header) {
    return header.magic == KAIROS_ELF_MAGIC && header.file_class == KAIROS_ELF_CLASS_64 &&
           header.data_encoding == KAIROS_ELF_LITTLE_ENDIAN &&
           (header.type == KAIROS_ELF_TYPE_FIXED || header.type == KAIROS_ELF_TYPE_MOVABLE) &&
           header.machine == KAIROS_ELF_MACHINE_RISCV &&
           header.segment_entry_size == sizeof(kairos_elf_segment) &&
           header.segment_count <= kMaxHeaders;
}

uint32_t protection_of(uint32_t flags) {
    uint32_t protection = 0;
    if ((flags & KAIROS_ELF_SEGMENT_READ) != 0) protection |= KPROT_READ;
    if ((flags & KAIROS_ELF_SEGMENT_WRITE) != 0) protection |= KPROT_WRITE;
    if ((flags & KAIROS_ELF_SEGMENT_EXECUTE) != 0) protection |= KPROT_EXEC;
    return protection;
}

// Reads a part of the file that its headers speak of.
kairos_status_t read_part(const FileView& file, uint64_t from, void* to, size_t length) {
    if (!file.contains(from, length)) return -ENOEXEC;
    const kairos_status_t status = file.read(from, to, length);
    return status == -EINVAL ? -ENOEXEC : status;
}

}  // namespace

kairos_status_t ElfFile::open(const FileView& file) {
    kairos_elf_header header;
    kairos_status_t status = read_part(file, 0, &header, sizeof(header));
    if (status < 0) return status;
    if (!is_program(header)) return -ENOEXEC;
    entry_ = header.entry;
    status = read_segments(file, header);
    if (status < 0) return status;
    movable_ = header.type == KAIROS_ELF_TYPE_MOVABLE;
    if (!has_entry() || !fits()) return -ENOEXEC;
    return 0;
}

kairos_status_t ElfFile::read_segments(const FileView& file, const kairos_elf_header& header) {
    kairos_elf_segment headers[kMaxHeaders];
    const std::span all(headers, header.segment_count);
    const kairos_status_t status =
        read_part(file, header.segments_offset, all.data(), all.size_bytes());
    if (status < 0) return status;
    for (const kairos_elf_segment& segment : all) {
        if (segment.type == KAIROS_ELF_SEGMENT_INTERPRETER) return -ENOEXEC;
        if (segment.type != KAIROS_ELF_SEGMENT_LOAD || segment.memory_size == 0) continue;
        if (!add_segment(file, segment)) return -ENOEXEC;
    }
    return 0;
}

bool ElfFile::add_segment(const FileView& file, const kairos_elf_segment& header) {
    const Segment segment = {.file_offset = header.file_offset,
                             .address = header.address,
                             .file_size = header.file_size,
                             .memory_size = header.memory_size,
                             .protection = protection_of(header.flags)};
    constexpr uint32_t kForbidden = KPROT_WRITE | KPROT_EXEC;
    if (count_ == KAIROS_ELF_MAX_SEGMENTS || (segment.protection & kForbidden) == kForbidden ||
        !file.contains(segment.file_offset, segment.file_size) ||
        segment.file_size > segment.memory_size || segment.address >= kImageLimit ||
        segment.memory_size > kImageLimit - segment.address) {
        return false;
    }
    if (count_ != 0) {
        const Segment& previous = segments_[count_ - 1];
        if (segment.first_page() < previous.first_page() + previous.mapped_size()) return false;
    }
    segments_[count_++] = segment;
    return true;
}

bool ElfFile::has_entry() const {
    return std::ranges::any_of(segments(), [&](const Segment& segment) {
        return (segment.protection & KPROT_EXEC) != 0 && entry_ >= segment.address &&
               entry_ - segment.address < segment.memory_size;
    });
}

uint64_t ElfFile::linked_end() const {
    const Segment& last = segments_[count_ - 1];
    return last.first_page() + last.mapped_size();
}

// Whether there is room for it where it is linked to. There is a segment, and all lie below the
// limit.
bool ElfFile::fits() const { return movable_ || segments_[0].first_page() >= kLowestFixed; }

uint64_t ElfFile::size() const { return linked_end() - segments_[0].first_page(); }
void ElfFile::move_to(uint64_t base) { bias_ = base - segments_[0].first_page(); }

}  // namespace kairos::internal
