// This program's own image in memory, as its ELF headers describe it.
#pragma once

#include <cstddef>
#include <span>

namespace kairos::internal {

// The thread-local storage that every thread gets a copy of.
struct TlsImage {
    const std::byte* bytes = nullptr;
    size_t file_size = 0;    // copied from `bytes`
    size_t memory_size = 0;  // the rest is zero
    size_t alignment = 1;
};

TlsImage own_tls();

// The part of the image that nothing but relocation writes; empty if there is none.
std::span<std::byte> own_relro();

// All of the image, and the part that describes its frames to who unwinds the stack; that is empty
// unless the program was linked for exceptions.
std::span<std::byte> own_range();
std::span<std::byte> own_frame_index();

}  // namespace kairos::internal
