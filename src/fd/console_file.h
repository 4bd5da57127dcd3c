// ConsoleFile: the kernel's own console as a file. What is written appears there, and reading finds
// the end at once. It stands in for the standard streams of a program that was given none.
#pragma once

#include "fd/file.h"

class Budget;

class ConsoleFile final : public File {
  public:
    static constexpr Rights kInitialRights{KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER |
                                           KRIGHT_DUPLICATE | KRIGHT_WAIT};

    // -EDQUOT, -ENOMEM.
    static Result<Ref<ConsoleFile>> create(Budget& budget);

    Result<int64_t> read_bytes(const ByteRequest&) override { return 0; }
    // -EFAULT.
    Result<int64_t> write_bytes(const ByteRequest& request) override;
    kairos_info_file describe() override;
    bool pollable() const override { return true; }
    uint32_t readiness() const override { return KAIROS_POLLIN | KAIROS_POLLOUT; }

  private:
    template <typename T>
    friend class ObjectStorage;

    ConsoleFile() : File(nullptr) {}
    void free_memory() override;
};

// Shows what a program says on the kernel's console. -EFAULT.
Status write_to_console(VirtualAddress text, uint64_t size);
