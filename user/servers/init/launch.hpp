// What a program is started with: its handles, and its arguments after its name.
#pragma once

#include <array>
#include <cinttypes>
#include <cstdio>

#include "apps/common/gifts.hpp"

namespace init {

class Launch {
  public:
    explicit Launch(char* name) { arguments_[0] = name; }

    common::Gifts& gifts() { return gifts_; }

    // Adds a number to the arguments; there is room for a few.
    void add_argument(uint64_t number) {
        if (count_ == kNumbersMax) return;
        char* text = numbers_[count_++].data();
        std::snprintf(text, kNumberSize, "0x%" PRIx64, number);
        arguments_[count_] = text;
    }

    kairos::Result<kairos::Process> spawn(const char* path) {
        return gifts_.spawn(path, arguments_.data());
    }

  private:
    static constexpr size_t kNumbersMax = 4;
    static constexpr size_t kNumberSize = 24;

    common::Gifts gifts_;
    std::array<std::array<char, kNumberSize>, kNumbersMax> numbers_;
    std::array<char*, 1 + kNumbersMax + 1> arguments_{};  // ended by a null
    size_t count_ = 0;
};

}  // namespace init
