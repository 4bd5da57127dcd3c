// The kernel's reader of program files, which loads the first program, against damaged ones:
// whatever ElfImage accepts must keep what first_program.cpp relies on. LLVMFuzzerTestOneInput
// takes one file, as libFuzzer wants it; without that, main makes files by damaging one that is
// sound.
#include "process/elf_image.h"

#include "arch/paging.h"
#include "test/fuzz/damaged_elf.h"

namespace {

void check_accepted(const ElfImage& image, size_t file_size) {
    bool entry_inside = false;
    uint64_t end = 0;
    require(!image.segments().empty(), "it has no segments");
    for (const ElfImage::Segment& segment : image.segments()) {
        const uint64_t first_page = segment.address / kPage * kPage;
        require(!segment.writable || !segment.executable, "it can be written and run");
        require(segment.memory_size != 0, "a segment is empty");
        require(segment.file_size <= segment.memory_size, "more is loaded than there is room for");
        require(segment.file_offset <= file_size &&
                    segment.file_size <= file_size - segment.file_offset,
                "a segment is not in the file");
        require(first_page >= end, "segments share a page, or are in no order");
        require(image.movable() || first_page >= arch::kUserBegin,
                "it is linked to where no program may be");
        end = segment.address + segment.memory_size;
        require(end > segment.address && end <= arch::kUserEnd, "it ends beyond user space");
        end = (end + kPage - 1) / kPage * kPage;
        // What is mapped as it lies in the file begins within the file's pages.
        require(
            !segment.mappable_from_file() || segment.file_offset >= segment.address - first_page,
            "a page of it lies before the file");
        entry_inside = entry_inside || (segment.executable && image.entry() >= segment.address &&
                                        image.entry() - segment.address < segment.memory_size);
    }
    require(entry_inside, "it begins outside of its code");
    require(image.begin() == image.segments()[0].address / kPage * kPage && image.end() == end,
            "its limits are wrong");
}

}  // namespace

bool is_accepted(const uint8_t* data, size_t size) {
    auto image = ElfImage::open({data, size});
    require(image.ok() || image.error() == Error::NOEXEC, "or refused with another error");
    if (image.ok()) check_accepted(*image, size);
    return image.ok();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    is_accepted(data, size);
    return 0;
}

int main() { return try_damaged_files(); }
