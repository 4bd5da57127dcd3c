// Trace records as lines of text, for people and for scripts (test/support/timeline.py reads them):
//
//     TIME-NS hart HART thread THREAD KIND EVENT NAME=VALUE ...
//
// The names come from the kernel, so a program prints events that it has never heard of.
#pragma once

#include <kairos/info.h>
#include <kairos/syscalls.h>
#include <kairos/system.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <string_view>
#include <vector>

#include "apps/common/object_names.hpp"
#include "apps/common/system.hpp"

namespace common {

inline constexpr std::array kWakeReasons = {"none",   "moved",  "data",    "hup",
                                            "closed", "signal", "timeout", "canceled"};
inline constexpr const char* kCallNames[] = {
#define KAIROS_CALL_NAME(name) #name,
    KAIROS_SYSCALLS(KAIROS_CALL_NAME)
#undef KAIROS_CALL_NAME
};

class TraceText {
  public:
    // Asks the kernel for its names. Errors as kairos_object_info.
    static kairos::Result<TraceText> load(kairos_handle_t resource) {
        TraceText text;
        text.events_.resize(kMostEvents);
        const auto read = read_list(resource, KAIROS_INFO_TRACE_EVENTS,
                                    std::span<kairos_info_trace_event>(text.events_));
        if (!read) return std::unexpected(read.error());
        text.events_.resize(read->size());
        return text;
    }

    const kairos_info_trace_event* event(const kairos_trace_record& record) const {
        return record.event < events_.size() ? &events_[record.event] : nullptr;
    }

    // The bit of the kind called `name`; 0 if no event is of such a kind.
    static uint32_t find_kind(std::string_view name) {
        static constexpr const char* kNames[] = {
#define KAIROS_KIND_NAME(name, text) #name,
            KAIROS_TRACE_KINDS(KAIROS_KIND_NAME)
#undef KAIROS_KIND_NAME
        };
        for (uint32_t kind = 0; kind < std::size(kNames); ++kind) {
            if (name == kNames[kind]) return 1u << kind;
        }
        return 0;
    }

    // Whether one of the record's values is the id of this object.
    bool concerns(const kairos_trace_record& record, uint64_t object) const {
        const kairos_info_trace_event* about = event(record);
        if (about == nullptr) return false;
        for (uint32_t i = 0; i < 4; ++i) {
            if (about->values[i][0] == '#' && record.values[i] == object) return true;
        }
        return false;
    }

    // Writes one line, its end of line included; its length, cut to the room there is.
    size_t write(const kairos_trace_record& record, char* to, size_t size) const {
        Line line{to, size};
        const kairos_info_trace_event* about = event(record);
        line.add("%" PRIu64 " hart %" PRIu32 " thread %" PRIu64 " %s %s", record.time_ns,
                 record.hart, record.thread_id, about != nullptr ? about->kind : "?",
                 about != nullptr ? about->name : "?");
        for (uint32_t i = 0; i < 4; ++i) {
            if (about == nullptr) {
                line.add(" %" PRIx64, record.values[i]);
            } else if (about->values[i][0] != 0) {
                write_value(line, about->values[i], record.values[i]);
            }
        }
        line.add("\n");
        return line.used;
    }

  private:
    static constexpr size_t kMostEvents = 128;

    struct Line {
        char* to;
        size_t size;
        size_t used = 0;

        template <typename... Values>
        void add(const char* format, Values... values) {
            const int length = std::snprintf(to + used, size - used, format, values...);
            if (length > 0) used += std::min(static_cast<size_t>(length), size - used - 1);
        }
    };

    static void write_value(Line& line, const char* name, uint64_t value) {
        switch (name[0]) {
            case '%':
                line.add(" %s=0x%" PRIx64, name + 1, value);
                return;
            case '-':
                line.add(" %s=%" PRId64, name + 1, static_cast<int64_t>(value));
                return;
            case '$':
                line.add(" %s=%s", name + 1,
                         value < std::size(kCallNames) ? kCallNames[value] : "?");
                return;
            case '!':
                line.add(" %s=%s", name + 1, name_of(kWakeReasons, static_cast<uint32_t>(value)));
                return;
            case '?':
                line.add(" %s=%s", name + 1,
                         name_of(kThreadStateNames, static_cast<uint32_t>(value)));
                return;
            case '@':
                line.add(" bytes=%" PRIu32 " handles=%" PRIu32 " queued=%" PRIu32
                         " state=%s peer-state=%s",
                         KAIROS_TRACE_BYTES(value), KAIROS_TRACE_HANDLES(value),
                         KAIROS_TRACE_QUEUED(value),
                         name_of(kEndpointStateNames, KAIROS_TRACE_STATE(value)),
                         name_of(kEndpointStateNames, KAIROS_TRACE_PEER_STATE(value)));
                return;
            case '#':
                line.add(" %s=%" PRIu64, name + 1, value);
                return;
            default:
                line.add(" %s=%" PRIu64, name, value);
        }
    }

    std::vector<kairos_info_trace_event> events_;
};

// Reads all harts' rings, each from where it was left, and hands out records in order of time.
class TraceReader {
  public:
    // From now on. Errors as kairos_object_info.
    kairos::Result<> begin(kairos_handle_t resource) {
        resource_ = resource;
        std::array<kairos_info_trace, 64> room;
        const auto states =
            read_list(resource, KAIROS_INFO_TRACE, std::span<kairos_info_trace>(room));
        if (!states) return std::unexpected(states.error());
        next_.clear();
        for (const kairos_info_trace& state : *states) next_.push_back(state.next);
        return {};
    }

    // What was recorded since; `lost()` grows by what was overwritten. Errors as kairos_trace_read.
    kairos::Result<std::vector<kairos_trace_record>> take() {
        std::vector<kairos_trace_record> records;
        for (uint32_t hart = 0; hart < next_.size(); ++hart) {
            const auto read = take_from(hart, records);
            if (!read) return std::unexpected(read.error());
        }
        std::stable_sort(records.begin(), records.end(), [](const auto& one, const auto& other) {
            return one.time_ns < other.time_ns;
        });
        return records;
    }

    uint64_t lost() const { return lost_; }

  private:
    // One ring's size at most, so that a busy hart does not keep its reader for ever.
    kairos::Result<> take_from(uint32_t hart, std::vector<kairos_trace_record>& records) {
        for (uint32_t taken = 0; taken < KAIROS_TRACE_RECORDS;) {
            std::array<kairos_trace_record, 64> page;
            const kairos_status_t count =
                kairos_trace_read(resource_, hart, next_[hart], page.data(), page.size());
            if (count < 0) return kairos::failure(count);
            if (count == 0) break;
            lost_ += page[0].sequence - next_[hart];
            records.insert(records.end(), page.begin(), page.begin() + count);
            next_[hart] = page[count - 1].sequence + 1;
            taken += static_cast<uint32_t>(count);
        }
        return {};
    }

    kairos_handle_t resource_ = KAIROS_HANDLE_INVALID;
    std::vector<uint64_t> next_;
    uint64_t lost_ = 0;
};

}  // namespace common
