// EventRing: the last events of something, written by anybody at any time without a lock and
// without waiting, read while it is written. An event is a few words of 60 bits.
//
// A writer takes the next number and fills the slot that belongs to it. Each word carries in its
// lowest bits the lap it was written in, so a reader knows which words belong to the event it
// expects: what is half written, or was overwritten under its eyes, it leaves out. It also looks
// whether the slot has been given away again since. So only a writer that stands still between two
// words while others write 16 laps could deceive it; writers run with interrupts off.
#pragma once

#include <atomic>
#include <cstdint>

template <uint32_t kEvents, uint32_t kWords>
class EventRing {
  public:
    static constexpr unsigned kBits = 60;  // of a word that are the event's

    struct Event {
        uint64_t words[kWords];
    };

    void record(const Event& event) {
        const uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
        std::atomic<uint64_t>* slot = slots_[number % kEvents];
        for (uint32_t i = 0; i < kWords; ++i) {
            slot[i].store(event.words[i] << kLapBits | lap_of(number), std::memory_order_release);
        }
    }

    // Ever.
    uint64_t recorded() const { return next_.load(std::memory_order_relaxed); }

    // Copies out what is there, oldest first; how many events.
    uint32_t read(Event (&out)[kEvents]) const {
        const uint64_t end = next_.load(std::memory_order_acquire);
        uint32_t count = 0;
        for (uint64_t number = end < kEvents ? 0 : end - kEvents; number < end; ++number) {
            if (read_one(number, out[count])) ++count;
        }
        return count;
    }

  private:
    static constexpr unsigned kLapBits = 64 - kBits;
    static constexpr uint64_t kLapMask = (1u << kLapBits) - 1;

    // Never 0 in the first lap, so that an untouched slot belongs to none.
    static constexpr uint64_t lap_of(uint64_t number) { return (number / kEvents + 1) & kLapMask; }

    bool read_one(uint64_t number, Event& out) const {
        for (uint32_t i = 0; i < kWords; ++i) {
            const uint64_t word = slots_[number % kEvents][i].load(std::memory_order_acquire);
            if ((word & kLapMask) != lap_of(number)) return false;
            out.words[i] = word >> kLapBits;
        }
        return next_.load(std::memory_order_relaxed) - number <= kEvents;
    }

    std::atomic<uint64_t> next_{0};
    std::atomic<uint64_t> slots_[kEvents][kWords] = {};
};
