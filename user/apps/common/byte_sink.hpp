// Where text goes: the one interface that line editing needs of a screen, so that it can be
// tested on the host without one.
#pragma once

#include <string_view>

namespace common {

class ByteSink {
  public:
    // Takes all of `bytes`. A sink that fails says so through its own interface, not here.
    virtual void write(std::string_view bytes) = 0;

  protected:
    ~ByteSink() = default;
};

}  // namespace common
