// Memory objects and mappings. Errors are those of the calls in <kairos/memory.h>.
#pragma once

#include <kairos/handle.hpp>

#include <cstddef>
#include <span>

namespace kairos {

// A mapping in this program's address space; its destructor takes it away.
class Mapping {
  public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Mapping& operator=(Mapping&& other) noexcept {
        reset();
        bytes_ = std::exchange(other.bytes_, {});
        return *this;
    }
    ~Mapping() { reset(); }

    std::byte* data() const { return bytes_.data(); }
    size_t size() const { return bytes_.size(); }
    std::span<std::byte> bytes() const { return bytes_; }
    explicit operator bool() const { return bytes_.data() != nullptr; }

    void reset() {
        if (bytes_.data() != nullptr) {
            kairos_unmap(kairos_self_aspace(), bytes_.data(), bytes_.size());
        }
        bytes_ = {};
    }

  private:
    friend class Memory;
    explicit Mapping(std::span<std::byte> bytes) : bytes_(bytes) {}

    std::span<std::byte> bytes_;
};

class Memory : public TypedHandle<Memory> {
  public:
    using TypedHandle::TypedHandle;

    [[nodiscard]] static Result<Memory> create(uint64_t size) {
        return make([&](kairos_handle_t* out) { return kairos_memory_create(size, 0, out); });
    }

    // Maps `size` bytes from `offset`, both multiples of the page size, somewhere.
    [[nodiscard]] Result<Mapping> map(uint64_t offset, size_t size, uint32_t protection) const {
        void* address = nullptr;
        const kairos_status_t status =
            kairos_map(kairos_self_aspace(), get(), offset, &address, size, protection);
        if (status < 0) return failure(status);
        return Mapping(std::span(static_cast<std::byte*>(address), size));
    }

    Result<> read(uint64_t offset, std::span<std::byte> into) const {
        return to_result(kairos_memory_read(get(), offset, into.data(), into.size()));
    }
    Result<> write(uint64_t offset, std::span<const std::byte> from) const {
        return to_result(kairos_memory_write(get(), offset, from.data(), from.size()));
    }
};

}  // namespace kairos
