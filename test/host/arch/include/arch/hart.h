// The hart as the hosted machine knows it: whoever calls hosted::enter_hart is that hart from then
// on. See arch/riscv/include/arch/hart.h for what the functions promise.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace arch {

struct UserFrame;
struct ThreadContext;

using SystemCall = int64_t (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

inline constexpr uint32_t kHartFlags = 8;

// What the kernel uses of the real one; the rest is for assembly.
struct HartBlock {
    UserFrame* frame = nullptr;
    uint32_t attention = 0;
    uint32_t bit = 0;
    uint64_t system_calls = 0;
    ThreadContext* current = nullptr;
    std::atomic<const SystemCall*> system_call_table{nullptr};
    std::atomic<uint8_t> flags[kHartFlags] = {};
    uint64_t satp = 0;  // of the address space that this hart runs in; 0: the kernel's own

    std::atomic<bool> stopped{false};
    uint64_t stopped_pc = 0;
    uint64_t stopped_frame_pointer = 0;
};

// The hart that the calling host thread is.
HartBlock* hart_block();

// Nothing is measured here.
inline uint64_t retired_instructions() { return 0; }
template <uint32_t kNumber>
inline bool hart_flag() {
    return hart_block()->flags[kNumber].load() != 0;
}

// Yields, and counts the call.
void relax();

// Delivers the IPIs and the timer that are pending for this hart (hosted/machine.h).
void open_interrupt_window();
void idle_until_interrupt();

}  // namespace arch
