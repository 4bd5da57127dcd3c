#include "fd/console_file.h"

#include <algorithm>

#include "arch/hart.h"
#include "arch/user_copy.h"
#include "object/object_storage.h"
#include "trace/log.h"

namespace {
// Text is copied in pieces, so that the console is never held while a page is fetched.
constexpr uint64_t kTextPiece = 128;
}  // namespace

Status write_to_console(VirtualAddress text, uint64_t size) {
    for (uint64_t done = 0; done < size;) {
        char piece[kTextPiece];
        const uint64_t length = std::min(size - done, kTextPiece);
        if (!arch::copy_from_user(piece, text + done, length)) return Fail(Error::FAULT);
        console_write_program_output(piece, length);
        done += length;
        arch::open_interrupt_window();
    }
    return {};
}

Result<Ref<ConsoleFile>> ConsoleFile::create(Budget& budget) {
    return ObjectStorage<ConsoleFile>::create(budget);
}

void ConsoleFile::free_memory() { ObjectStorage<ConsoleFile>::free(*this); }

Result<int64_t> ConsoleFile::write_bytes(const ByteRequest& request) {
    TRY(write_to_console(request.address, request.size));
    return static_cast<int64_t>(request.size);
}

kairos_info_file ConsoleFile::describe() { return {.kind = KAIROS_FILE_CONSOLE, .reserved = 0}; }
