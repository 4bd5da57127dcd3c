// Making and ending threads' blocks; see the header.
#include "thread_block.hpp"

#include <cstring>
#include <new>

#include "image.hpp"

namespace kairos::internal {

namespace {

constexpr size_t kUnit = alignof(ThreadBlock);  // of stacks, too

constexpr size_t round_up(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

size_t alignment_of(const TlsImage& tls) { return tls.alignment > kUnit ? tls.alignment : kUnit; }

}  // namespace

size_t thread_block_room() {
    const TlsImage tls = own_tls();
    const size_t alignment = alignment_of(tls);
    return sizeof(ThreadBlock) + round_up(tls.memory_size, alignment) + alignment - kUnit;
}

ThreadBlock* make_thread_block(std::span<std::byte> room) {
    const TlsImage tls = own_tls();
    const size_t alignment = alignment_of(tls);
    const auto end = reinterpret_cast<uintptr_t>(room.data() + room.size());
    auto* storage = reinterpret_cast<std::byte*>((end - tls.memory_size) / alignment * alignment);
    std::memcpy(storage, tls.bytes, tls.file_size);
    std::memset(storage + tls.file_size, 0, tls.memory_size - tls.file_size);
    return new (storage - sizeof(ThreadBlock)) ThreadBlock;
}

void run_thread_endings(ThreadBlock& block) {
    while (ThreadEnding* ending = block.endings) {
        block.endings = ending->next;
        ending->run(ending);
    }
}

}  // namespace kairos::internal
