// TraceRing: the last events of one hart, as records of eight words. One writer, the hart itself
// with interrupts off; readers anywhere, at any time. Neither waits for the other.
//
//     writer                                  reader of record n
//     begun = n + 1                           next > n?                          (else: not yet)
//     the eight words of slot n % size        the eight words of slot n % size
//     next = n + 1                            begun <= n + size?                 (else:
//     overwritten)
//
// A slot is written again only by record n + size, which `begun` announces before the first word.
// So what a reader copied is whole if by then nobody had announced that. Records carry their
// number, by which a reader that was too slow knows how many it has missed.
//
// What the words mean is not known here (trace/records.h).
#pragma once

#include <atomic>
#include <cstdint>

#include "arch/atomic.h"

class TraceRing {
  public:
    static constexpr uint32_t kWords = 8;
    using Words = uint64_t[kWords];
    struct Slot {
        std::atomic<uint64_t> words[kWords] = {};
    };

    // Once, before the first use. `size` is a power of two.
    void give_memory(Slot* slots, uint32_t size) {
        mask_ = size - 1;
        slots_ = slots;
    }
    bool ready() const { return slots_ != nullptr; }

    // The number that the next record will have.
    uint64_t next() const { return next_.load(std::memory_order_acquire); }
    // The first that may still be here.
    uint64_t oldest() const {
        const uint64_t end = next();
        return end <= mask_ ? 0 : end - mask_ - 1;
    }

    // Writes one record: `fill` is called with its number and a function to store a word by.
    template <typename Fill>
    void write(Fill fill) {
        const uint64_t number = next_.load(std::memory_order_relaxed);
        Slot& slot = slots_[number & mask_];
        arch::store_relaxed(begun_, number + 1);
        std::atomic_thread_fence(std::memory_order_release);
        fill(number, [&](uint32_t i, uint64_t word) { arch::store_relaxed(slot.words[i], word); });
        std::atomic_thread_fence(std::memory_order_release);
        arch::store_relaxed(next_, number + 1);
    }

    // Copies record `number`. False: it is not written yet, or overwritten.
    [[nodiscard]] bool read(uint64_t number, Words& out) const {
        if (!ready() || number >= next()) return false;
        const Slot& slot = slots_[number & mask_];
        for (uint32_t i = 0; i < kWords; ++i) {
            out[i] = slot.words[i].load(std::memory_order_relaxed);
        }
        std::atomic_thread_fence(std::memory_order_acquire);
        return begun_.load(std::memory_order_relaxed) <= number + mask_ + 1;
    }

  private:
    Slot* slots_ = nullptr;
    uint64_t mask_ = 0;  // size - 1
    std::atomic<uint64_t> begun_{0};
    std::atomic<uint64_t> next_{0};
};
