// Loading programs; see the header.
#include "loader.hpp"

#include <errno.h>
#include <kairos/handle.hpp>

#include <algorithm>

namespace kairos::internal {

namespace {

// What a program needs to come to its end even if it uses up its budget: this much of its zeroed
// data, which is the SDK's (linker/user.ld), and of its stack. It exists before the program runs.
constexpr uint64_t kCommittedZeros = 2 * KAIROS_PAGE_SIZE;
constexpr uint64_t kCommittedStack = 2 * KAIROS_PAGE_SIZE;

// Makes the pages of [from, to) exist, whose ends are ends of pages: two at a time, by writing what
// they have there already on both sides of the line between them.
kairos_status_t commit(kairos_handle_t memory, uint64_t from, uint64_t to) {
    constexpr char kZeros[2] = {};
    for (uint64_t at = from; at < to; at += 2 * KAIROS_PAGE_SIZE) {
        const bool both = to - at > KAIROS_PAGE_SIZE;
        const kairos_status_t status =
            kairos_memory_write(memory, at + KAIROS_PAGE_SIZE - 1, kZeros, both ? 2 : 1);
        if (status < 0) return status;
    }
    return 0;
}

kairos_status_t map_at(const ElfFile& program, const ElfFile::Segment& segment,
                       kairos_handle_t space, kairos_handle_t memory, uint64_t offset) {
    void* address = reinterpret_cast<void*>(segment.first_page() + program.bias());
    return kairos_map(space, memory, offset, &address, segment.mapped_size(), segment.protection);
}

kairos_status_t map_from_file(const ElfFile& program, const ElfFile::Segment& segment,
                              const FileView& file, kairos_handle_t space) {
    const uint64_t offset = file.offset + segment.file_offset - segment.page_offset();
    return map_at(program, segment, space, file.memory, offset);
}

kairos_status_t map_copy(const ElfFile& program, const ElfFile::Segment& segment,
                         const FileView& file, kairos_handle_t space, kairos_handle_t budget) {
    kairos_handle_t value = KAIROS_HANDLE_INVALID;
    kairos_status_t status = kairos_memory_create_in(budget, segment.mapped_size(), 0, &value);
    if (status < 0) return status;
    const Handle memory(value);  // the mapping keeps it
    status = copy_file(file, segment.file_offset, segment.file_size, value, segment.page_offset());
    if (status < 0) return status;
    const uint64_t copied = segment.page_offset() + segment.file_size;
    const uint64_t zeros = (copied + KAIROS_PAGE_SIZE - 1) / KAIROS_PAGE_SIZE * KAIROS_PAGE_SIZE;
    status = commit(value, zeros, std::min(zeros + kCommittedZeros, segment.mapped_size()));
    if (status < 0) return status;
    return map_at(program, segment, space, value, 0);
}

}  // namespace

// By way of a buffer: the file's memory may be anybody's, so it is not mapped here, where it could
// be taken away while it is read.
kairos_status_t copy_file(const FileView& file, uint64_t from, uint64_t length,
                          kairos_handle_t memory, uint64_t at) {
    char buffer[KAIROS_PAGE_SIZE];
    for (uint64_t done = 0; done < length;) {
        const size_t piece = std::min<uint64_t>(length - done, sizeof(buffer));
        kairos_status_t status = file.read(from + done, buffer, piece);
        if (status < 0) return status;
        status = kairos_memory_write(memory, at + done, buffer, piece);
        if (status < 0) return status;
        done += piece;
    }
    return 0;
}

// The kernel chooses addresses at random, above all that a program that cannot be moved takes up;
// nobody else maps in this space before it runs. So what lies below the first mapping is free, and
// has room for any program: a program that can be moved goes there. Side by side the two have page
// tables in common.
kairos_status_t place_program(ElfFile& program, kairos_handle_t space, kairos_handle_t budget,
                              size_t stack_size, uint64_t* stack_base) {
    kairos_handle_t value = KAIROS_HANDLE_INVALID;
    kairos_status_t status = kairos_memory_create_in(budget, stack_size, 0, &value);
    if (status < 0) return status;
    const Handle memory(value);  // the mapping keeps it
    status = commit(value, stack_size - kCommittedStack, stack_size);
    if (status < 0) return status;
    void* address = nullptr;
    if (!program.movable()) address = reinterpret_cast<void*>(program.end() + KAIROS_PAGE_SIZE);
    status = kairos_map(space, value, 0, &address, stack_size, KPROT_READ | KPROT_WRITE);
    if (status < 0) return status;
    *stack_base = reinterpret_cast<uint64_t>(address);
    if (program.movable()) program.move_to(*stack_base - KAIROS_PAGE_SIZE - program.size());
    return 0;
}

kairos_status_t load_program(const ElfFile& program, const FileView& file, kairos_handle_t space,
                             kairos_handle_t budget) {
    for (const ElfFile::Segment& segment : program.segments()) {
        const kairos_status_t status = segment.is_mappable()
                                           ? map_from_file(program, segment, file, space)
                                           : map_copy(program, segment, file, space, budget);
        // All numbers are sound but for one: the memory may end before the file does.
        if (status < 0) return status == -EINVAL ? -ENOEXEC : status;
    }
    return 0;
}

}  // namespace kairos::internal
