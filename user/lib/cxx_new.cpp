// operator new and delete on malloc. Nothing is thrown: an allocation that fails ends the program,
// unless it asked for std::nothrow. All weak, so that a program may bring its own.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "fatal.hpp"

namespace {

void* allocate(std::size_t size) { return std::malloc(size != 0 ? size : 1); }

void* allocate_aligned(std::size_t size, std::align_val_t alignment) {
    const auto unit = static_cast<std::size_t>(alignment);
    void* memory = nullptr;
    const std::size_t least = unit > sizeof(void*) ? unit : sizeof(void*);
    return posix_memalign(&memory, least, size) == 0 ? memory : nullptr;
}

void* require(void* memory) {
    if (memory == nullptr) kairos::internal::fatal("out of memory");
    return memory;
}

}  // namespace

namespace std {
[[gnu::weak]] extern const nothrow_t nothrow{};
}

// clang-format off
[[gnu::weak]] void* operator new(std::size_t size) { return require(allocate(size)); }
[[gnu::weak]] void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::weak]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
[[gnu::weak]] void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
[[gnu::weak]] void* operator new(std::size_t size, std::align_val_t alignment) { return require(allocate_aligned(size, alignment)); }
[[gnu::weak]] void* operator new[](std::size_t size, std::align_val_t alignment) { return operator new(size, alignment); }
[[gnu::weak]] void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept { return allocate_aligned(size, alignment); }
[[gnu::weak]] void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t& tag) noexcept { return operator new(size, alignment, tag); }

[[gnu::weak]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete[](void* memory) noexcept { operator delete(memory); }
[[gnu::weak]] void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
[[gnu::weak]] void operator delete[](void* memory, std::size_t) noexcept { operator delete[](memory); }
[[gnu::weak]] void operator delete(void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }
[[gnu::weak]] void operator delete[](void* memory, const std::nothrow_t&) noexcept { operator delete[](memory); }
[[gnu::weak]] void operator delete(void* memory, std::align_val_t) noexcept { operator delete(memory); }
[[gnu::weak]] void operator delete[](void* memory, std::align_val_t) noexcept { operator delete[](memory); }
[[gnu::weak]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { operator delete(memory); }
[[gnu::weak]] void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { operator delete[](memory); }
[[gnu::weak]] void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { operator delete(memory); }
[[gnu::weak]] void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept { operator delete[](memory); }
// clang-format on
