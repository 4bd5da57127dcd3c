// The handles that a program about to be started is to have.
#pragma once

#include <kairos/process.hpp>

#include <array>

namespace common {

class Gifts {
  public:
    static constexpr size_t kMax = 8;

    // Gives `handle` the place `which` (KAIROS_BOOT_*). An empty handle gives nothing.
    void add(uint32_t which, kairos::Handle handle) {
        if (!handle || count_ == kMax) return;
        list_[count_] = {which, handle.get()};
        owned_[count_++] = std::move(handle);
    }

    // Gives a duplicate of `handle` with `rights`; nothing if there can be none.
    void add_duplicate(uint32_t which, const kairos::Handle& handle,
                       kairos_rights_t rights = KRIGHT_SAME) {
        if (auto copy = handle.duplicate(rights)) add(which, std::move(*copy));
    }

    // Keeps the program from getting what it would without being given it: ARCHIVE.
    void withhold(uint32_t which) {
        if (count_ < kMax) list_[count_++] = {which, KAIROS_HANDLE_INVALID};
    }

    // Starts the program at `path`; the gifts are its own then. Errors as kairos_spawn; after one
    // they are still here.
    kairos::Result<kairos::Process> spawn(const char* path, char* const arguments[]) {
        auto process = kairos::Process::spawn(path, arguments, std::span(list_).first(count_));
        if (!process) return process;
        for (kairos::Handle& handle : owned_) static_cast<void>(handle.release());
        count_ = 0;
        return process;
    }

  private:
    std::array<kairos_spawn_handle, kMax> list_{};
    std::array<kairos::Handle, kMax> owned_;
    size_t count_ = 0;
};

}  // namespace common
