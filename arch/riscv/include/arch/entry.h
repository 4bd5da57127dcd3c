// What the machine-dependent part calls in the kernel. Declared here, defined in src/; all run in
// the kernel with interrupts off, on the hart concerned.
#pragma once

#include <cstdint>

#include "arch/context.h"
#include "arch/paging.h"
#include "base/types.h"

struct Hart;

namespace arch {

enum class FaultKind : uint8_t {
    kPage,        // `access` at `address` is not mapped so
    kIllegal,     // illegal instruction
    kBreakpoint,  // ebreak
    kMisaligned,
    kOther,
};

struct Fault {
    FaultKind kind;
    Access access;   // of kPage
    uint64_t cause;  // scause, for reports
    uint64_t pc;
    uint64_t address;  // stval
};

}  // namespace arch

extern "C" {
// Boot has mapped the kernel, cleared .bss, constructed global objects and entered the hart it runs
// on as the first of Harts. Does not return.
[[noreturn]] void kernel_main(uint64_t boot_hardware_id, PhysicalAddress device_tree);
// A hart started by arch::start_hart has arrived in the kernel's address space.
[[noreturn]] void start_secondary_hart(Hart& hart);

extern const uint64_t system_call_count;
// The number in a7 is not below system_call_count.
int64_t unknown_system_call();

// A fault of user code; returns to let it go on (it is retried), or does not return.
void on_user_fault(arch::UserFrame& frame, const arch::Fault& fault);
// A page fault inside arch/user_copy.h; true if the access can be tried again.
bool resolve_user_fault(VirtualAddress address, arch::Access access);

// Interrupts. They may come from user mode, from idle or from a window; they take note of what is
// to be done (attention) and never switch threads themselves.
void on_timer();
void on_ipi();
void on_external_interrupt();

// Called on the way out to user mode when the hart's attention word is not zero, possibly several
// times. May switch threads; may not return, if the thread has to end.
void attend();

// A trap in the kernel that nothing explains.
[[noreturn]] void on_kernel_fault(const arch::UserFrame& registers, const arch::Fault& fault);
}
