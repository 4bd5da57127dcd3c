// The lines typed before, newest last, and the place at which the reader browses in them.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace shell {

inline constexpr size_t kLineMax = 512;  // bytes of a command line

class History {
  public:
    static constexpr size_t kLines = 32;

    // Remembers `line` unless it is empty or repeats the newest; ends browsing.
    void add(std::string_view line) {
        browsing_ = 0;
        if (line.empty() || (count_ > 0 && line == at(1))) return;
        Entry& entry = entries_[next_];
        entry.length = line.size() < kLineMax ? line.size() : kLineMax;
        std::memcpy(entry.text.data(), line.data(), entry.length);
        next_ = (next_ + 1) % kLines;
        if (count_ < kLines) ++count_;
    }

    bool has_older() const { return browsing_ < count_; }
    bool has_newer() const { return browsing_ > 0; }
    bool is_browsing() const { return browsing_ > 0; }
    void stop_browsing() { browsing_ = 0; }

    // One step back; only if has_older().
    std::string_view older() { return at(++browsing_); }

    // One step forward; only if has_newer(). Empty after the newest line.
    std::string_view newer() { return --browsing_ == 0 ? std::string_view{} : at(browsing_); }

  private:
    struct Entry {
        std::array<char, kLineMax> text;
        size_t length;
    };

    // The line `age` steps back; 1 is the newest.
    std::string_view at(size_t age) const {
        const Entry& entry = entries_[(next_ + kLines - age) % kLines];
        return {entry.text.data(), entry.length};
    }

    std::array<Entry, kLines> entries_{};
    size_t next_ = 0;      // where the next line goes
    size_t count_ = 0;     // lines remembered
    size_t browsing_ = 0;  // 0: not browsing; otherwise the age of the line shown
};

}  // namespace shell
