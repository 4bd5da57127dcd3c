// A flag that one of several may set first. A whole word, which every machine exchanges in one
// instruction.
#pragma once

#include <atomic>
#include <cstdint>

class AtomicFlag {
  public:
    // True for the one that found it clear.
    bool set_first() { return word_.exchange(1, std::memory_order_acq_rel) == 0; }
    // Whether it was set; clear afterwards.
    bool take() { return word_.exchange(0, std::memory_order_acq_rel) != 0; }
    void set() { word_.store(1, std::memory_order_release); }
    void clear() { word_.store(0, std::memory_order_release); }
    bool is_set() const { return word_.load(std::memory_order_acquire) != 0; }

  private:
    std::atomic<uint32_t> word_{0};
};
