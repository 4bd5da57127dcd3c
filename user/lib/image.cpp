// Relocating the image, and finding one's way in it; see the header.
#include "image.hpp"

#include <kairos/abi/elf.h>

#include <span>

namespace {

// What the loader need not know of ELF, and a program that relocates itself does.
constexpr uint32_t kSegmentTls = 7;
constexpr uint32_t kSegmentFrameIndex = 0x6474e550;
constexpr uint32_t kSegmentRelro = 0x6474e552;
constexpr uint64_t kDynamicEnd = 0;
constexpr uint64_t kDynamicRelocations = 7;
constexpr uint64_t kDynamicRelocationBytes = 8;
constexpr uint32_t kRelocateNothing = 0;  // what the linker reserved and then did not need
constexpr uint32_t kRelocateRelative = 3;

struct DynamicEntry {
    uint64_t tag;
    uint64_t value;
};

struct Relocation {
    uint64_t offset;
    uint64_t info;
    uint64_t addend;

    uint32_t type() const { return static_cast<uint32_t>(info); }
};

}  // namespace

extern "C" {

// The ELF header, which linker/user.ld puts at the beginning of the image, at address 0.
[[gnu::visibility("hidden")]] extern const kairos_elf_header __ehdr_start;

// Adds the load bias to every word of the image that holds an address. Runs first of all: it may
// use nothing but its arguments, for an address taken from a table would not be relocated.
[[gnu::visibility("hidden")]] void kairos_relocate_self(uintptr_t bias,
                                                        const DynamicEntry* dynamic) {
    const Relocation* relocations = nullptr;
    size_t count = 0;
    for (; dynamic->tag != kDynamicEnd; ++dynamic) {
        if (dynamic->tag == kDynamicRelocations) {
            relocations = reinterpret_cast<const Relocation*>(bias + dynamic->value);
        } else if (dynamic->tag == kDynamicRelocationBytes) {
            count = dynamic->value / sizeof(Relocation);
        }
    }
    for (size_t i = 0; i < count; ++i) {
        if (relocations[i].type() == kRelocateNothing) continue;
        // kairos-cc lets no other kind through.
        if (relocations[i].type() != kRelocateRelative) __builtin_trap();
        *reinterpret_cast<uintptr_t*>(bias + relocations[i].offset) = bias + relocations[i].addend;
    }
}

}  // extern "C"

namespace kairos::internal {

namespace {

std::byte* address_of(uint64_t linked_at) {
    return reinterpret_cast<std::byte*>(reinterpret_cast<uintptr_t>(&__ehdr_start) + linked_at);
}

std::span<const kairos_elf_segment> segments() {
    const std::byte* first = address_of(__ehdr_start.segments_offset);
    return {reinterpret_cast<const kairos_elf_segment*>(first), __ehdr_start.segment_count};
}

const kairos_elf_segment* find_segment(uint32_t type) {
    for (const kairos_elf_segment& segment : segments()) {
        if (segment.type == type) return &segment;
    }
    return nullptr;
}

std::span<std::byte> range_of(uint32_t type) {
    const kairos_elf_segment* segment = find_segment(type);
    if (segment == nullptr) return {};
    return {address_of(segment->address), segment->memory_size};
}

}  // namespace

TlsImage own_tls() {
    const kairos_elf_segment* segment = find_segment(kSegmentTls);
    if (segment == nullptr) return {};
    return {.bytes = address_of(segment->address),
            .file_size = segment->file_size,
            .memory_size = segment->memory_size,
            .alignment = segment->alignment > 1 ? segment->alignment : 1};
}

std::span<std::byte> own_relro() { return range_of(kSegmentRelro); }

std::span<std::byte> own_range() {
    uint64_t end = 0;
    for (const kairos_elf_segment& segment : segments()) {
        if (segment.type == KAIROS_ELF_SEGMENT_LOAD) end = segment.address + segment.memory_size;
    }
    return {address_of(0), end};
}

std::span<std::byte> own_frame_index() { return range_of(kSegmentFrameIndex); }

}  // namespace kairos::internal
