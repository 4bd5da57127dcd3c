#include "process/boot_options.h"

#include <cstring>

#include "platform/machine.h"
#include "platform/power.h"
#include "trace/log.h"

namespace {

constexpr uint32_t kRefusedStatus = 101;

char text[platform::kMaxCommandLine];
BootOptions options;

[[noreturn]] void refuse(const char* problem, const char* word) {
    log("command line: %s: '%s'", problem, word);
    log("expected: init=NAME [console=plain|framed] [trace=all|none|KIND,...] "
        "[watchdog=SECONDS] -- ARGUMENT...");
    platform::power_off(kRefusedStatus);
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void decode_percents(char* word) {
    if (std::strcmp(word, "%") == 0) word[0] = 0;  // how an empty word is written
    char* to = word;
    for (const char* from = word; *from != 0; ++to) {
        if (*from != '%') {
            *to = *from++;
            continue;
        }
        const int high = hex_digit(from[1]);
        const int low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0) refuse("a % that no two hexadecimal digits follow", word);
        *to = static_cast<char>(high * 16 + low);
        from += 3;
    }
    *to = 0;
}

// The value of `word` if it is `key=value`.
char* value_of(char* word, const char* key) {
    const size_t length = std::strlen(key);
    if (std::strncmp(word, key, length) != 0 || word[length] != '=') return nullptr;
    return word + length + 1;
}

uint32_t trace_kind(const char* name) {
    for (uint32_t kind = 0; kind < KAIROS_TRACE_KIND_COUNT; ++kind) {
        if (std::strcmp(name, kTraceKindNames[kind]) == 0) return 1u << kind;
    }
    refuse("an unknown kind of trace event", name);
}

uint32_t trace_kinds(char* list) {
    if (std::strcmp(list, "none") == 0) return 0;
    if (std::strcmp(list, "all") == 0) return KAIROS_TRACE_ALL;
    uint32_t kinds = 0;
    for (char* at = list; *at != 0; ++at) {
        if (*at != ',') continue;
        *at = 0;
        kinds |= trace_kind(list);
        list = at + 1;
    }
    return kinds | trace_kind(list);
}

uint64_t number(const char* text) {
    uint64_t value = 0;
    if (*text == 0) refuse("a number is missing", text);
    for (const char* digit = text; *digit != 0; ++digit) {
        if (*digit < '0' || *digit > '9') refuse("not a number", text);
        if (digit - text > 9) refuse("too large a number", text);
        value = value * 10 + static_cast<uint64_t>(*digit - '0');
    }
    return value;
}

// KIND@N: in a debug kernel only, so that nothing of it is in a release.
void read_injection(char* word) {
    struct Kind {
        const char* name;
        Injection what;
    };
    constexpr Kind kKinds[] = {{"panic", Injection::kPanic},
                               {"fault", Injection::kFault},
                               {"hang", Injection::kHang},
                               {"lost-wake", Injection::kLostWake},
                               {"forgotten-thread", Injection::kForgottenThread}};
    for (const Kind& kind : kKinds) {
        const size_t length = std::strlen(kind.name);
        if (std::strncmp(word, kind.name, length) != 0 || word[length] != '@') continue;
        options.injection = kind.what;
        options.injected_at = number(word + length + 1);
        return;
    }
    refuse("an unknown kind of injection", word);
}

void read_option(char* word) {
    if (char* program = value_of(word, "init")) {
        decode_percents(program);
        options.program = program;
    } else if (char* console = value_of(word, "console")) {
        if (std::strcmp(console, "framed") == 0) {
            options.framed_console = true;
        } else if (std::strcmp(console, "plain") != 0) {
            refuse("an unknown kind of console", console);
        }
    } else if (char* kinds = value_of(word, "trace")) {
        options.trace_kinds = trace_kinds(kinds);
    } else if (char* seconds = value_of(word, "watchdog")) {
        options.watchdog_period_ns = number(seconds) * 1'000'000'000;
    } else if (char* injected = kDebugBuild ? value_of(word, "inject") : nullptr) {
        read_injection(injected);
    } else {
        refuse("an unknown option", word);
    }
}

void read_argument(char* word) {
    if (options.argument_count == kMaxArguments) refuse("more arguments than there is room", word);
    decode_percents(word);
    options.arguments[options.argument_count++] = word;
}

// Cuts the next word out of `at`; null at the end.
char* next_word(char*& at) {
    while (*at == ' ') ++at;
    if (*at == 0) return nullptr;
    char* word = at;
    while (*at != 0 && *at != ' ') ++at;
    if (*at != 0) *at++ = 0;
    return word;
}

}  // namespace

const BootOptions& read_boot_options(const char* command_line) {
    for (uint32_t i = 0; i + 1 < sizeof(text) && command_line[i] != 0; ++i) {
        text[i] = command_line[i];
    }
    options.argument_count = 1;  // the first is the program's name
    bool in_arguments = false;
    for (char* at = text; char* word = next_word(at);) {
        if (in_arguments) {
            read_argument(word);
        } else if (std::strcmp(word, "--") == 0) {
            in_arguments = true;
        } else {
            read_option(word);
        }
    }
    options.arguments[0] = options.program;
    return options;
}
