#include "trace/log.h"

#include "arch/time.h"
#include "base/format.h"
#include "platform/console.h"
#include "sync/spin_lock.h"

namespace {

constinit SpinLock console_lock{LockRank::kConsole};
constinit bool framed = false;
constinit bool lock_broken = false;

// In a framed stream this byte is doubled where programs write it, and introduces a mark where the
// kernel does.
constexpr char kEscape = 0x10;

class ConsoleSink final : public FormatSink {
  public:
    void put(const char* text, size_t size) override { platform::console_write(text, size); }
};

// Holds the console for one piece of the log, marked as such. In a panic nobody waits for anybody.
class LogSection {
  public:
    LogSection() NO_THREAD_SAFETY_ANALYSIS : locked_(!lock_broken) {
        if (locked_) console_lock.lock();
        if (framed) mark('K');
    }
    ~LogSection() NO_THREAD_SAFETY_ANALYSIS {
        if (framed) mark('U');
        if (locked_) console_lock.unlock();
    }

  private:
    static void mark(char kind) {
        const char bytes[2] = {kEscape, kind};
        platform::console_write(bytes, sizeof(bytes));
    }
    const bool locked_;
};

void print_pieces(ConsoleSink& sink, const char* text, ...) {
    va_list arguments;
    va_start(arguments, text);
    format(sink, text, arguments);
    va_end(arguments);
}

void print_time(ConsoleSink& sink) {
    const uint64_t microseconds = arch::now().nanoseconds / 1000;
    print_pieces(sink, "[%5lu.%06lu] ", microseconds / 1'000'000, microseconds % 1'000'000);
}

}  // namespace

void log_warning(const char* text, va_list arguments, uint32_t suppressed) {
    ConsoleSink sink;
    LogSection section;
    print_time(sink);
    print_pieces(sink, "warning: ");
    format(sink, text, arguments);
    if (suppressed != 0) print_pieces(sink, " (%u more like this were not printed)", suppressed);
    sink.put("\n", 1);
}

void log(const char* text, ...) {
    ConsoleSink sink;
    LogSection section;
    print_time(sink);
    va_list arguments;
    va_start(arguments, text);
    format(sink, text, arguments);
    va_end(arguments);
    sink.put("\n", 1);
}

void print(const char* text, ...) {
    ConsoleSink sink;
    LogSection section;
    va_list arguments;
    va_start(arguments, text);
    format(sink, text, arguments);
    va_end(arguments);
}

void console_write_program_output(const char* bytes, size_t size) {
    LockGuard guard(console_lock);
    if (!framed) {
        platform::console_write(bytes, size);
        return;
    }
    size_t start = 0;
    for (size_t i = 0; i < size; ++i) {
        if (bytes[i] != kEscape) continue;
        platform::console_write(bytes + start, i + 1 - start);
        start = i;  // the byte is written once more with what follows
    }
    platform::console_write(bytes + start, size - start);
}

void console_set_framed() { framed = true; }
void console_break_lock() { lock_broken = true; }
