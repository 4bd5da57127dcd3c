// Puts a program into the address space of a process that has not run yet.
#pragma once

#include "elf_file.hpp"

namespace kairos::internal {

// Chooses where a program that can be moved goes, with its first stack of `stack_size` bytes behind
// it, in an address space that has no mappings yet: at an address that is hard to guess. Errors as
// kairos_memory_create_in and kairos_map.
kairos_status_t choose_place(ElfFile& program, kairos_handle_t space, kairos_handle_t budget,
                             size_t stack_size);

// Maps the segments of `program`, whose file is `file`: straight from the file's memory where the
// pages can be used as they are, otherwise from copies charged to `budget` (KAIROS_HANDLE_INVALID:
// the caller's). What has been mapped when this fails goes
// with the address space. -ENOEXEC: the file reaches beyond its memory; errors as
// kairos_memory_create, kairos_memory_read and kairos_map.
kairos_status_t load_program(const ElfFile& program, const FileView& file, kairos_handle_t space,
                             kairos_handle_t budget);

// Maps a stack of `size` bytes for its first thread above the program, with a page that stays free
// between them; `*base` is the stack's lowest address. Errors as kairos_memory_create and
// kairos_map.
kairos_status_t make_first_stack(const ElfFile& program, kairos_handle_t space,
                                 kairos_handle_t budget, size_t size, uint64_t* base);

// Copies `length` bytes of the file from `from` into `memory` at `at`.
kairos_status_t copy_file(const FileView& file, uint64_t from, uint64_t length,
                          kairos_handle_t memory, uint64_t at);

}  // namespace kairos::internal
