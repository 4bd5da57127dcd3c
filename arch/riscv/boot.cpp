// From boot.S to kernel_main: the final address space, the first hart, the constructors of global
// objects. Nothing of the kernel proper runs before this is done.
#include "arch/entry.h"
#include "arch/firmware.h"
#include "arch/time.h"
#include "asid.h"
#include "csr.h"
#include "kernel_map.h"
#include "layout.h"
#include "live_harts.h"
#include "offsets.h"
#include "sbi.h"
#include "sync/hart.h"

extern "C" {
extern char boot_stack_end[];
extern char trap_entry[];
using Constructor = void (*)();
extern const Constructor constructors_begin[], constructors_end[];
[[noreturn]] void boot_first_hart(uint64_t hardware_id, PhysicalAddress device_tree);
[[noreturn]] void enter_secondary_hart(Hart* hart);
}

namespace arch {
namespace {

// Makes `hart` the one this hart finds in tp, ready to take traps and interrupts.
void adopt_hart(Hart& hart, uint64_t first_stack_end) {
    hart.block.bit = 1u << hart.index.value;
    hart.block.emergency_stack = first_stack_end;
    hart.block.satp = csr::read<csr::kSatp>();
    asm volatile("mv tp, %0" : : "r"(&hart) : "memory");
    csr::write<csr::kSscratch>(0);
    csr::write<csr::kStvec>(reinterpret_cast<uint64_t>(trap_entry));
    csr::write<csr::kScounteren>(csr::kAllCounters);
    // The invariant of trap.S: an sret leads to user mode, with interrupts on.
    csr::clear<csr::kSstatus>(SSTATUS_SPP | SSTATUS_FS | SSTATUS_SUM | SSTATUS_MXR);
    csr::set<csr::kSstatus>(SSTATUS_SPIE);
    csr::write<csr::kSie>(csr::kSoftwareInterrupt | csr::kTimerInterrupt | csr::kExternalInterrupt);
    note_hart_live(hart);
}

void require_firmware() {
    struct Service {
        uint64_t extension;
        const char* name;
    };
    static constexpr Service kNeeded[] = {
        {sbi::kTime, "timer"},
        {sbi::kIpi, "inter-processor interrupt"},
        {sbi::kRemoteFence, "remote fence"},
        {sbi::kHartState, "hart state management"},
    };
    for (const Service& service : kNeeded) {
        if (sbi::has_extension(service.extension)) continue;
        const auto print = [](const char* text) {
            while (*text != 0) firmware_put(*text++);
        };
        print("Kairos cannot start: the SBI firmware lacks the ");
        print(service.name);
        print(" extension\n");
        firmware_power_off();
    }
}

}  // namespace
}  // namespace arch

void boot_first_hart(uint64_t hardware_id, PhysicalAddress device_tree) {
    arch::enter_kernel_map();
    Hart& hart = Harts::add(hardware_id);
    arch::adopt_hart(hart, reinterpret_cast<uint64_t>(boot_stack_end));
    for (const Constructor* each = constructors_begin; each != constructors_end; ++each) (*each)();
    arch::require_firmware();
    arch::init_asids();
    kernel_main(hardware_id, device_tree);
}

void enter_secondary_hart(Hart* hart) {
    arch::adopt_hart(*hart, hart->block.scratch);
    arch::set_timer(Instant::never());
    start_secondary_hart(*hart);
}
