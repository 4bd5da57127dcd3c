// A small printf: formats into pieces that a sink takes. For the log and reports; allocates
// nothing.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>

class FormatSink {
  public:
    virtual void put(const char* text, size_t size) = 0;

  protected:
    ~FormatSink() = default;
};

// %s %c %d %u %x %p %%, the length l, a width and zero padding (%08lx). Anything else is printed as
// it stands.
void format(FormatSink& sink, const char* text, va_list arguments);
