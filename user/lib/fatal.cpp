// The end of a program that cannot go on; see the header.
#include "fatal.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace kairos::internal {

namespace {

// A line of bounded length, cut where it is too long.
class Line {
  public:
    void add(const char* text) {
        const size_t length = std::min(std::strlen(text), sizeof(text_) - size_);
        std::memcpy(text_ + size_, text, length);
        size_ += length;
    }
    void write() const { static_cast<void>(::write(STDERR_FILENO, text_, size_)); }

  private:
    char text_[200];
    size_t size_ = 0;
};

}  // namespace

void fatal(const char* problem, const char* detail) {
    Line line;
    line.add("fatal: ");
    line.add(problem);
    if (detail != nullptr) {
        line.add(": ");
        line.add(detail);
    }
    line.add("\n");
    line.write();
    abort();
}

}  // namespace kairos::internal
