// Text on the way to a terminal: a newline becomes carriage return and line feed.
#pragma once

#include "apps/common/byte_sink.hpp"

namespace console {

class Screen final : public common::ByteSink {
  public:
    explicit Screen(common::ByteSink& device) : device_(device) {}

    void write(std::string_view text) override {
        while (!text.empty()) {
            const size_t newline = text.find('\n');
            device_.write(text.substr(0, newline));
            if (newline == std::string_view::npos) return;
            device_.write("\r\n");
            text.remove_prefix(newline + 1);
        }
    }

  private:
    common::ByteSink& device_;
};

}  // namespace console
