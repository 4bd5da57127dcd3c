// The kernel's log, kept in memory for tests to look at.
#include "trace/log.h"

#include <mutex>

#include "base/format.h"
#include "hosted/machine.h"

namespace {

std::mutex lock;
std::string text_so_far;

class Sink final : public FormatSink {
  public:
    void put(const char* text, size_t size) override { text_so_far.append(text, size); }
};

void add(const char* before, const char* text, va_list arguments, const char* after) {
    const std::lock_guard guard(lock);
    Sink sink;
    text_so_far += before;
    format(sink, text, arguments);
    text_so_far += after;
}

}  // namespace

std::string hosted::take_log() {
    const std::lock_guard guard(lock);
    return std::exchange(text_so_far, {});
}

void log(const char* text, ...) {
    va_list arguments;
    va_start(arguments, text);
    add("", text, arguments, "\n");
    va_end(arguments);
}

void print(const char* text, ...) {
    va_list arguments;
    va_start(arguments, text);
    add("", text, arguments, "");
    va_end(arguments);
}

void log_warning(const char* text, va_list arguments, uint32_t suppressed) {
    const std::string after =
        suppressed == 0 ? "\n" : " (" + std::to_string(suppressed) + " more)\n";
    add("warning: ", text, arguments, after.c_str());
}
