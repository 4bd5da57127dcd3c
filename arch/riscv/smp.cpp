// Starting, interrupting, pausing and stopping harts.
#include "arch/smp.h"

#include "arch/backtrace.h"
#include "arch/hart.h"
#include "arch/time.h"
#include "csr.h"
#include "layout.h"
#include "live_harts.h"
#include "offsets.h"
#include "sbi.h"
#include "stop.h"

extern "C" char secondary_entry[];

namespace arch {
namespace {

std::atomic<uint32_t> live{0};

// Who stops the machine. Set once.
std::atomic<HartBlock*> stopper{nullptr};

// Long enough for a hart that takes interrupts, waits for a lock or is on its way back to the
// firmware; short for a person.
constexpr uint64_t kStopNanoseconds = 100'000'000;

// Parks a hart in the function that this becomes a part of, and notes where that was called.
[[noreturn, gnu::always_inline]] inline void stop_in_this_call() {
    const auto* frame = static_cast<const uint64_t*>(__builtin_frame_address(0));
    stop_here(frame[-1], frame[-2]);
}

}  // namespace

void note_hart_live(Hart& hart) { live.fetch_or(hart.block.bit, std::memory_order_seq_cst); }

uint32_t live_harts() { return live.load(std::memory_order_acquire); }

bool start_hart(Hart& hart, void* stack_top) {
    hart.block.scratch = reinterpret_cast<uint64_t>(stack_top);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    // A hart that is giving itself back to the firmware (boot.S) cannot be started until it has.
    const uint64_t deadline = now().nanoseconds + kStopNanoseconds;
    sbi::Reply reply;
    do {
        reply = sbi::start_hart(hart.hardware_id, image_address(secondary_entry).value,
                                image_address(&hart.block).value);
    } while (reply.error == sbi::kAlreadyAvailable && now().nanoseconds < deadline);
    return reply.error == 0;
}

void send_ipi(Hart& hart) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    sbi::send_ipi({.mask = 1, .base = hart.hardware_id});
}

bool machine_is_stopping() { return stopper.load(std::memory_order_relaxed) != nullptr; }

void stop_here(uint64_t pc, uint64_t frame_pointer) {
    HartBlock& hart = *hart_block();
    hart.stopped_pc = pc;
    hart.stopped_frame_pointer = frame_pointer;
    hart.stopped.store(true, std::memory_order_release);
    halt();
}

void stop_other_harts() {
    HartBlock* first = nullptr;
    if (!stopper.compare_exchange_strong(first, hart_block())) {
        if (first == hart_block()) return;
        stop_in_this_call();
    }
    const uint32_t others = live_harts() & ~hart_block()->bit;
    for_each_hart_set(others, [](sbi::HartSet set) { sbi::send_ipi(set); });
    const Instant give_up{now().nanoseconds + kStopNanoseconds};
    for (uint32_t i = 0; i < kMaxHarts; ++i) {
        if ((others >> i & 1) == 0) continue;
        const HartBlock& hart = Harts::at({i}).block;
        while (!hart.stopped.load(std::memory_order_acquire)) {
            if (now() > give_up) return;
        }
    }
}

void relax() {
    asm volatile(".insn i 0x0f, 0, x0, x0, 0x010");  // the pause hint
    if (!machine_is_stopping() || stopper.load(std::memory_order_relaxed) == hart_block()) return;
    stop_in_this_call();
}

void open_interrupt_window() {
    quiet_ends();
    csr::set<csr::kSstatus>(SSTATUS_SIE);
    csr::clear<csr::kSstatus>(SSTATUS_SIE);
    quiet_begins();
}

void idle_until_interrupt() {
    quiet_ends();
    asm volatile("wfi" : : : "memory");  // wakes for a pending interrupt even while they are off
    quiet_begins();
    open_interrupt_window();
}

void halt() {
    csr::write<csr::kSie>(0);
    for (;;) asm volatile("wfi");
}

}  // namespace arch
