/* The parts of the ELF64 format that loading a program needs: used by the kernel, for the first
 * program, and by the SDK, for all others. Programs are static; a position-independent one applies
 * its own relocations when it starts. */
#ifndef KAIROS_ABI_ELF_H
#define KAIROS_ABI_ELF_H

#include <stdint.h>

#define KAIROS_ELF_MAGIC 0x464c457fu /* 0x7f 'E' 'L' 'F' */
#define KAIROS_ELF_CLASS_64 2u
#define KAIROS_ELF_LITTLE_ENDIAN 1u
#define KAIROS_ELF_TYPE_FIXED 2u   /* ET_EXEC */
#define KAIROS_ELF_TYPE_MOVABLE 3u /* ET_DYN */
#define KAIROS_ELF_MACHINE_RISCV 243u
#define KAIROS_ELF_SEGMENT_LOAD 1u
#define KAIROS_ELF_SEGMENT_INTERPRETER 3u
#define KAIROS_ELF_SEGMENT_EXECUTE 1u
#define KAIROS_ELF_SEGMENT_WRITE 2u
#define KAIROS_ELF_SEGMENT_READ 4u
#define KAIROS_ELF_MAX_SEGMENTS 16u

struct kairos_elf_header {
    uint32_t magic;
    uint8_t file_class;
    uint8_t data_encoding;
    uint8_t version;
    uint8_t abi[9];
    uint16_t type;
    uint16_t machine;
    uint32_t file_version;
    uint64_t entry;
    uint64_t segments_offset;
    uint64_t sections_offset;
    uint32_t flags;
    uint16_t header_size;
    uint16_t segment_entry_size;
    uint16_t segment_count;
    uint16_t section_entry_size;
    uint16_t section_count;
    uint16_t section_names;
};

struct kairos_elf_segment {
    uint32_t type;
    uint32_t flags;
    uint64_t file_offset;
    uint64_t address;
    uint64_t physical_address;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t alignment;
};

#endif
