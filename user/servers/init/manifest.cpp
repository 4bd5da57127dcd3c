// Reading the manifest; see the header.
#include "servers/init/manifest.hpp"

#include "apps/common/words.hpp"

namespace init {

namespace {

struct AuthorityName {
    std::string_view name;
    Authority bit;
};

constexpr AuthorityName kAuthorities[] = {
    {"archive", kArchive},
    {"system", kSystem},
    {"uart", kUart},
    {"registry", kRegistry},
};

bool parse_authorities(std::string_view list, uint32_t& bits) {
    while (!list.empty()) {
        const std::string_view word = common::take_until(list, ',');
        uint32_t bit = 0;
        for (const AuthorityName& known : kAuthorities) {
            if (known.name == word) bit = known.bit;
        }
        if (bit == 0) return false;
        bits |= bit;
    }
    return true;
}

bool parse_choice(std::string_view word, std::string_view yes, std::string_view no, bool& out) {
    out = word == yes;
    return out || word == no;
}

// The field that takes any text under `key`; null: there is none.
std::string_view* text_field(Entry& entry, std::string_view key) {
    if (key == "program") return &entry.program;
    if (key == "provides") return &entry.provides;
    if (key == "names") return &entry.names;
    return nullptr;
}

enum class Setting { Done, UnknownKey, BadValue };

Setting set(Entry& entry, std::string_view key, std::string_view value) {
    if (value.empty()) return Setting::BadValue;
    if (std::string_view* field = text_field(entry, key)) {
        *field = value;
        return Setting::Done;
    }
    bool good = false;
    if (key == "gets") {
        good = parse_authorities(value, entry.gets);
    } else if (key == "restart") {
        good = parse_choice(value, "always", "never", entry.restart);
    } else if (key == "essential") {
        good = parse_choice(value, "yes", "no", entry.essential);
    } else {
        return Setting::UnknownKey;
    }
    return good ? Setting::Done : Setting::BadValue;
}

}  // namespace

ManifestProblem Manifest::parse(std::string_view text) {
    count_ = 0;
    for (size_t number = 1; !text.empty(); ++number) {
        std::string_view line = common::take_until(text, '\n');
        ManifestProblem problem = parse_line(common::take_until(line, '#'));
        if (problem.line == 0) continue;
        problem.line = number;
        return problem;
    }
    return {};
}

// A problem's line is 1 here; parse() knows the number.
ManifestProblem Manifest::parse_line(std::string_view line) {
    const std::string_view verb = common::take_word(line);
    if (verb.empty()) return {};
    if (verb != "start") return {1, "a line begins with 'start', not", verb};
    if (count_ == kEntriesMax) return {1, "too many programs", {}};

    Entry entry;
    entry.name = common::take_word(line);
    if (entry.name.empty()) return {1, "a name is missing", {}};
    for (std::string_view word = common::take_word(line); !word.empty();
         word = common::take_word(line)) {
        std::string_view value = word;
        const std::string_view key = common::take_until(value, '=');
        const Setting setting = set(entry, key, value);
        if (setting == Setting::UnknownKey) return {1, "no such setting:", word};
        if (setting == Setting::BadValue) return {1, "no such value:", word};
    }
    if (entry.program.empty()) return {1, "no program= for", entry.name};
    entries_[count_++] = entry;
    return {};
}

}  // namespace init
