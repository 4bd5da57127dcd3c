// The table of contents: how the kernel comes up. The first hart reads the machine, makes memory,
// wakes the others and starts the first program; then every hart is its own scheduler.
#include <bit>
#include <new>

#include "arch/context.h"
#include "arch/entry.h"
#include "arch/paging.h"
#include "arch/smp.h"
#include "arch/time.h"
#include "base/tree.h"
#include "memory/randomness.h"
#include "mm/frames.h"
#include "mm/kernel_stack.h"
#include "object/budget.h"
#include "platform/interrupts.h"
#include "platform/machine.h"
#include "process/boot_options.h"
#include "process/first_program.h"
#include "sched/scheduler.h"
#include "sched/watchdog.h"
#include "sync/hart.h"
#include "syscall/tables.h"
#include "trace/log.h"
#include "trace/records.h"

namespace {

Budget* root_budget = nullptr;

// All RAM that the firmware, the device tree, the kernel and the boot archive leave free.
void add_memory(const platform::Machine& machine) {
    mm::BootMemory memory;
    for (uint32_t i = 0; i < machine.memory_count; ++i) {
        memory.add_usable(machine.memory[i].base, machine.memory[i].size);
    }
    for (uint32_t i = 0; i < machine.reserved_count; ++i) {
        memory.add_reserved(machine.reserved[i].base, machine.reserved[i].size);
    }
    memory.add_reserved(arch::kernel_image(), arch::kernel_image_size());
    mm::init_frames(memory);
}

// One ring for each hart there will be; one that gets none records nothing.
void make_trace_rings(uint32_t harts) {
    constexpr uint64_t kBytes = KAIROS_TRACE_RECORDS * sizeof(TraceRing::Slot);
    constexpr uint32_t kOrder = std::countr_zero(kBytes / kPageSize);
    for (uint32_t i = 0; i < harts; ++i) {
        auto block = mm::allocate_block(kOrder);
        if (!block) return;
        auto* slots = static_cast<TraceRing::Slot*>(arch::physical_pointer(*block));
        for (uint32_t j = 0; j < KAIROS_TRACE_RECORDS; ++j) new (&slots[j]) TraceRing::Slot;
        give_trace_memory({i}, slots);
    }
}

constexpr int kStartTries = 50;
constexpr uint64_t kTryNanoseconds = 200'000'000;

bool comes_online(const Hart& hart) {
    const uint64_t deadline = arch::now().nanoseconds + kTryNanoseconds;
    while (!hart.online.load(std::memory_order_acquire)) {
        if (arch::now().nanoseconds > deadline) return false;
        arch::relax();
    }
    return true;
}

// Firmware has been seen to forget a hart that it said it had started; so it is asked again.
void start_hart(Hart& hart) {
    hart.thread = &Thread::create_idle(*root_budget);
    auto stack = mm::KernelStack::allocate();
    check(stack.ok(), "no memory for a hart's stack");
    void* top = stack->release_for_ever();
    for (int tries = 0; tries < kStartTries; ++tries) {
        (void)arch::start_hart(hart, top);
        if (comes_online(hart)) return;
        log("hart %lu does not come; it is started again", hart.hardware_id);
    }
    panic("the firmware does not start a hart");
}

// When this returns all harts are there, so that the first program finds them.
void start_other_harts(const platform::Machine& machine, uint64_t own_hardware_id) {
    if (machine.harts_ignored != 0) {
        log("%u harts beyond the first %u stay off", machine.harts_ignored, kMaxHarts);
    }
    for (uint32_t i = 0; i < machine.hart_count; ++i) {
        if (machine.hart_ids[i] != own_hardware_id) start_hart(Harts::add(machine.hart_ids[i]));
    }
}

}  // namespace

void kernel_main(uint64_t hardware_id, PhysicalAddress device_tree) {
    platform::read_device_tree(device_tree, hardware_id);
    const platform::Machine& machine = platform::machine();
    const BootOptions& options = read_boot_options(machine.command_line);
    if (options.framed_console) console_set_framed();
    arch::init_time(machine.timebase_hz, machine.has_sstc);

    seed_randomness(platform::take_seed().words);
    TreeBase::set_randomness(random_bits());
    add_memory(machine);
    log("Kairos: %u harts, %lu MiB", machine.hart_count, mm::total_frames() * kPageSize >> 20);
    make_trace_rings(machine.hart_count);
    switch_trace(options.trace_kinds);
    Watchdog::start(options.watchdog_period_ns);
    root_budget = &Budget::create_root(mm::free_frames_count() * kPageSize);
    this_hart().thread = &Thread::create_idle(*root_budget);
    platform::interrupts_init();
    platform::interrupts_init_hart();
    start_other_harts(machine, hardware_id);

    switch_trace(options.trace_kinds);  // on all of them
    inject(options.injection, options.injected_at);
    start_first_program(*root_budget, machine, options);
    Scheduler::run();
}

void start_secondary_hart(Hart&) {
    platform::interrupts_init_hart();
    Scheduler::run();
}
