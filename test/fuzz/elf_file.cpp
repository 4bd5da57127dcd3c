// The SDK's loader against damaged program files: whatever ElfFile accepts must keep what the
// loader relies on. LLVMFuzzerTestOneInput takes one file, as libFuzzer wants it; without that,
// main makes files by damaging one that is sound, always the same ones.
#include <errno.h>

#include "test/fuzz/damaged_elf.h"
#include "user/lib/elf_file.hpp"

namespace {

std::vector<uint8_t> contents;

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

}  // namespace

bool is_accepted(const uint8_t* data, size_t size) {
    contents.assign(data, data + size);
    kairos::internal::ElfFile program;
    const kairos_status_t status = program.open({.memory = 1, .offset = 0, .size = size});
    require(status == 0 || status == -ENOEXEC, "or refused with another error");
    if (status == 0) check_accepted(program);
    return status == 0;
}

kairos_status_t kairos::internal::FileView::read(uint64_t from, void* to, size_t length) const {
    require(from <= contents.size() && length <= contents.size() - from, "it was read beyond");
    std::memcpy(to, contents.data() + from, length);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    is_accepted(data, size);
    return 0;
}

int main() { return try_damaged_files(); }
