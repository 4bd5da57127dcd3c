#include "base/format.h"

namespace {

struct Conversion {
    bool zero_padded = false;
    bool is_long = false;
    uint32_t width = 0;
    char kind = 0;
};

// Reads what follows a '%'; returns the first character behind it.
const char* parse(const char* at, Conversion& conversion) {
    if (*at == '0') {
        conversion.zero_padded = true;
        ++at;
    }
    for (; *at >= '0' && *at <= '9'; ++at) conversion.width = conversion.width * 10 + (*at - '0');
    for (; *at == 'l'; ++at) conversion.is_long = true;
    conversion.kind = *at;
    return *at == 0 ? at : at + 1;
}

void put_number(FormatSink& sink, uint64_t value, uint32_t base, bool negative,
                const Conversion& conversion) {
    char digits[24];
    char* at = digits + sizeof(digits);
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    if (negative) *--at = '-';
    const char padding = conversion.zero_padded ? '0' : ' ';
    while (static_cast<uint32_t>(digits + sizeof(digits) - at) < conversion.width && at > digits) {
        *--at = padding;
    }
    sink.put(at, digits + sizeof(digits) - at);
}

void put_string(FormatSink& sink, const char* text, const Conversion& conversion) {
    if (text == nullptr) text = "(null)";
    uint32_t size = 0;
    while (text[size] != 0) ++size;
    sink.put(text, size);
    for (; size < conversion.width; ++size) sink.put(" ", 1);
}

}  // namespace

void format(FormatSink& sink, const char* text, va_list arguments) {
    while (*text != 0) {
        const char* plain = text;
        while (*text != 0 && *text != '%') ++text;
        if (text != plain) sink.put(plain, text - plain);
        if (*text == 0) return;
        const char* start = text;
        Conversion conversion;
        text = parse(text + 1, conversion);
        switch (conversion.kind) {
            case 'd': {
                const int64_t value =
                    conversion.is_long ? va_arg(arguments, int64_t) : va_arg(arguments, int);
                const uint64_t magnitude =
                    value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
                put_number(sink, magnitude, 10, value < 0, conversion);
                break;
            }
            case 'u':
            case 'x': {
                const uint64_t value =
                    conversion.is_long ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned);
                if (conversion.kind == 'x' && conversion.width == 0) sink.put("0x", 2);
                put_number(sink, value, conversion.kind == 'x' ? 16 : 10, false, conversion);
                break;
            }
            case 'p':
                sink.put("0x", 2);
                put_number(sink, reinterpret_cast<uint64_t>(va_arg(arguments, void*)), 16, false,
                           conversion);
                break;
            case 'c': {
                const char character = static_cast<char>(va_arg(arguments, int));
                sink.put(&character, 1);
                break;
            }
            case 's':
                put_string(sink, va_arg(arguments, const char*), conversion);
                break;
            case '%':
                sink.put("%", 1);
                break;
            default:
                sink.put(start, text - start);
        }
    }
}
