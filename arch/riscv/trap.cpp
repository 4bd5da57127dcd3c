// What becomes of a trap once its registers are saved: it is named in the kernel's terms
// (arch/entry.h) and handed over. Entry and exit are in trap.S.
#include "arch/entry.h"
#include "csr.h"
#include "fpu.h"
#include "offsets.h"
#include "stop.h"
#include "sync/hart.h"
#include "tlb.h"

extern "C" {
extern char user_copy_fault[];
void handle_user_trap(arch::UserFrame& frame, uint64_t cause, uint64_t value);
void handle_kernel_trap(arch::UserFrame& registers, uint64_t cause, uint64_t value);
[[noreturn]] void handle_kernel_fault(const arch::UserFrame& registers, uint64_t cause,
                                      uint64_t value);
}

namespace arch {
namespace {

constexpr uint64_t kInterruptBit = uint64_t{1} << 63;
constexpr uint64_t kCauseSoftware = kInterruptBit | 1;
constexpr uint64_t kCauseTimer = kInterruptBit | 5;
constexpr uint64_t kCauseExternal = kInterruptBit | 9;

constexpr uint64_t kCauseFetchMisaligned = 0;
constexpr uint64_t kCauseIllegal = 2;
constexpr uint64_t kCauseBreakpoint = 3;
constexpr uint64_t kCauseLoadMisaligned = 4;
constexpr uint64_t kCauseStoreMisaligned = 6;
constexpr uint64_t kCauseFetchPage = 12;
constexpr uint64_t kCauseLoadPage = 13;
constexpr uint64_t kCauseStorePage = 15;

constexpr unsigned kFramePointer = 8;  // x8, s0

FaultKind kind_of(uint64_t cause) {
    switch (cause) {
        case kCauseFetchPage:
        case kCauseLoadPage:
        case kCauseStorePage:
            return FaultKind::kPage;
        case kCauseIllegal:
            return FaultKind::kIllegal;
        case kCauseBreakpoint:
            return FaultKind::kBreakpoint;
        case kCauseFetchMisaligned:
        case kCauseLoadMisaligned:
        case kCauseStoreMisaligned:
            return FaultKind::kMisaligned;
        default:
            return FaultKind::kOther;
    }
}

Access access_of(uint64_t cause) {
    return cause == kCauseStorePage   ? Access::kWrite
           : cause == kCauseFetchPage ? Access::kExecute
                                      : Access::kRead;
}

Fault fault_of(const UserFrame& registers, uint64_t cause, uint64_t value) {
    return {.kind = kind_of(cause),
            .access = access_of(cause),
            .cause = cause,
            .pc = registers.pc,
            .address = value};
}

void handle_interrupt(const UserFrame& registers, uint64_t cause) {
    switch (cause) {
        case kCauseSoftware:
            csr::clear<csr::kSip>(csr::kSoftwareInterrupt);
            std::atomic_thread_fence(std::memory_order_seq_cst);
            if (machine_is_stopping()) stop_here(registers.pc, registers.x[kFramePointer]);
            on_ipi();
            break;
        case kCauseTimer:
            on_timer();
            break;
        case kCauseExternal:
            on_external_interrupt();
            break;
        default:
            panic("an interrupt that was never enabled");
    }
}

}  // namespace
}  // namespace arch

void handle_user_trap(arch::UserFrame& frame, uint64_t cause, uint64_t value) {
    using namespace arch;
    quiet_begins();
    if ((cause & kInterruptBit) != 0) {
        handle_interrupt(frame, cause);
    } else if (cause == kCauseIllegal && enable_fpu()) {
        return;  // it was the thread's first floating-point instruction, or fails again as it is
    } else {
        on_user_fault(frame, fault_of(frame, cause, value));
        flush_local_page({value});  // the hart may remember that nothing was mapped there
    }
    quiet_ends();
}

// An interrupt that was let in, or a fault of the user-copy code. Only page faults at user
// addresses can be resolved; a fault at a kernel address is a defect after all.
void handle_kernel_trap(arch::UserFrame& registers, uint64_t cause, uint64_t value) {
    using namespace arch;
    if ((cause & kInterruptBit) != 0) {
        quiet_begins();
        handle_interrupt(registers, cause);
        quiet_ends();
        return;
    }
    if (value >= kUserEnd) on_kernel_fault(registers, fault_of(registers, cause, value));
    if (kind_of(cause) == FaultKind::kPage && resolve_user_fault({value}, access_of(cause))) {
        flush_local_page({value});
    } else {
        registers.pc = reinterpret_cast<uint64_t>(user_copy_fault);
    }
}

void handle_kernel_fault(const arch::UserFrame& registers, uint64_t cause, uint64_t value) {
    on_kernel_fault(registers, arch::fault_of(registers, cause, value));
}
