// The readable list of what init starts, in order. One program a line:
//
//   start NAME program=FILE [provides=SERVICE] [gets=AUTHORITY,...] [names=SERVICE,...]
//              [restart=always|never] [essential=yes|no]
//
//   provides   the program answers connections to this service
//   gets       archive: the boot archive     system: look at and manage every object
//              uart: the serial port         registry: it is the name server
//   names      the services that the program, and whoever it lets, may connect to
//   restart    what happens when it ends; `always` unless said otherwise
//   essential  the machine stops when it has ended for good; `no` unless said otherwise
//
// A # begins a comment. Portable logic: text in, entries out; the entries point into the text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace init {

// What a program may be given beyond its own channels; bits of Entry::gets.
enum Authority : uint32_t {
    kArchive = 1u << 0,
    kSystem = 1u << 1,
    kUart = 1u << 2,
    kRegistry = 1u << 3,
};

struct Entry {
    std::string_view name;
    std::string_view program;   // a file of the boot archive
    std::string_view provides;  // empty: no service
    std::string_view names;     // a comma-separated list; empty: it connects to nothing
    uint32_t gets = 0;
    bool restart = true;
    bool essential = false;
};

struct ManifestProblem {
    size_t line = 0;  // counted from 1; 0: no problem
    const char* message = "";
    std::string_view culprit;  // the word that is wrong; may be empty
};

class Manifest {
  public:
    static constexpr size_t kEntriesMax = 16;

    // Reads `text`, which must outlive the manifest. Stops at the first problem.
    ManifestProblem parse(std::string_view text);

    const Entry* begin() const { return entries_.data(); }
    const Entry* end() const { return entries_.data() + count_; }
    size_t count() const { return count_; }

  private:
    ManifestProblem parse_line(std::string_view line);

    std::array<Entry, kEntriesMax> entries_{};
    size_t count_ = 0;
};

}  // namespace init
