// Puts a program into the address space of a process that has not run yet.
#pragma once

#include "elf_file.hpp"

namespace kairos::internal {

// Maps the first stack, of `stack_size` bytes, in an address space that has no mappings yet;
// `*stack_base` is its lowest address. It lies above the program, with a page that stays free
// between them: for a program that can be moved, the two are put where it is hard to guess. Errors
// as kairos_memory_create_in, kairos_memory_write and kairos_map.
kairos_status_t place_program(ElfFile& program, kairos_handle_t space, kairos_handle_t budget,
                              size_t stack_size, uint64_t* stack_base);

// Maps the segments of `program`, whose file is `file`: straight from the file's memory where the
// pages can be used as they are, otherwise from copies charged to `budget` (KAIROS_HANDLE_INVALID:
// the caller's). What has been mapped when this fails goes
// with the address space. -ENOEXEC: the file reaches beyond its memory; errors as
// kairos_memory_create, kairos_memory_read and kairos_map.
kairos_status_t load_program(const ElfFile& program, const FileView& file, kairos_handle_t space,
                             kairos_handle_t budget);

// Copies `length` bytes of the file from `from` into `memory` at `at`.
kairos_status_t copy_file(const FileView& file, uint64_t from, uint64_t length,
                          kairos_handle_t memory, uint64_t at);

}  // namespace kairos::internal
