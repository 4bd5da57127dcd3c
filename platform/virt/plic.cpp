// The platform-level interrupt controller. A line interrupts a context when its priority is above
// the context's threshold and its bit in the context's enable words is set; thresholds stay 0, and
// a masked line has priority 0.
//
// A line is completed in the context that claimed it, whichever hart does so, and is masked by its
// priority alone: the controller forgets a completion in a context where the line is not enabled.
#include "devices.h"
#include "platform/interrupts.h"
#include "sync/hart.h"

namespace platform {
namespace {

constexpr uint32_t kMaxLines = 1024;
constexpr uint32_t kOff = 0;
constexpr uint32_t kOn = 1;

Registers registers;
// Several lines share an enable word, and callers serialise by line only.
constinit SpinLock lock(LockRank::kInterruptController);
// Which hart (by index) a line may interrupt; fixed between unmask and complete.
uint8_t target[kMaxLines];

uint64_t priority_register(uint32_t line) { return 4 * line; }
uint64_t enable_register(uint32_t context, uint32_t line) {
    return 0x2000 + 0x80 * uint64_t{context} + 4 * (line / 32);
}
uint64_t threshold_register(uint32_t context) { return 0x20'0000 + 0x1000 * uint64_t{context}; }
uint64_t claim_register(uint32_t context) { return threshold_register(context) + 4; }

uint32_t context_of(const Hart& hart) {
    for (uint32_t i = 0; i < machine().hart_count; ++i) {
        if (machine().hart_ids[i] == hart.hardware_id) return plic().contexts[i];
    }
    panic("a hart runs that the device tree does not know");
}
uint32_t context_of(HartIndex hart) { return context_of(Harts::at(hart)); }

void set_enabled(uint32_t line, HartIndex hart, bool enabled) {
    const uint64_t word = enable_register(context_of(hart), line);
    const uint32_t bit = 1u << line % 32;
    const uint32_t bits = registers.read_word(word);
    registers.write_word(word, enabled ? bits | bit : bits & ~bit);
}

}  // namespace

void interrupts_init() {
    check(plic().lines < kMaxLines, "the interrupt controller has too many lines");
    registers = Registers(plic().registers);
    for (uint32_t line = 1; line <= plic().lines; ++line) interrupt_mask(line);
}

void interrupts_init_hart() {
    const uint32_t context = context_of(this_hart());
    for (uint32_t line = 0; line <= plic().lines; line += 32) {
        registers.write_word(enable_register(context, line), 0);
    }
    registers.write_word(threshold_register(context), 0);
}

uint32_t interrupt_count() { return plic().lines; }

void interrupt_unmask(uint32_t line, HartIndex hart) {
    LockGuard guard(lock);
    if (target[line] != hart.value) set_enabled(line, {target[line]}, false);
    target[line] = static_cast<uint8_t>(hart.value);
    set_enabled(line, hart, true);
    registers.write_word(priority_register(line), kOn);
}

void interrupt_mask(uint32_t line) { registers.write_word(priority_register(line), kOff); }

std::optional<uint32_t> interrupt_claim() {
    const uint32_t line = registers.read_word(claim_register(context_of(this_hart())));
    if (line == 0) return std::nullopt;
    return line;
}

void interrupt_complete(uint32_t line) {
    registers.write_word(claim_register(context_of(HartIndex{target[line]})), line);
}

}  // namespace platform
