// The end of the machine when the kernel finds itself broken: what, where, on every hart, and what
// happened last. Takes no lock that somebody may hold.
#include <iterator>

#include "arch/backtrace.h"
#include "arch/entry.h"
#include "arch/smp.h"
#include "base/atomic_flag.h"
#include "platform/power.h"
#include "process/process.h"
#include "process/wait_graph.h"
#include "sync/hart.h"
#include "trace/log.h"
#include "trace/records.h"
#include "trace/symbols.h"

namespace {

constexpr uint32_t kPanicStatus = 101;
constexpr size_t kMaxFrames = 32;

AtomicFlag reported;
Hart* machine_stopped_by = nullptr;  // written by it alone

// A return address may lie behind the function that called, if what was called never returns: the
// call is looked up. The first pc is a return address too, or the place that a trap interrupted.
enum class First : uint8_t { kReturnAddress, kExact };
void print_frames(First first, const uint64_t* pcs, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        const uint64_t back = i == 0 && first == First::kExact ? 0 : 1;
        const Symbol symbol = find_symbol(pcs[i] - back);
        if (symbol.name != nullptr) {
            print("    %016lx %s+%lu\n", pcs[i], symbol.name, symbol.offset + back);
        } else {
            print("    %016lx\n", pcs[i]);
        }
    }
}

void print_thread(const Hart& hart) {
    const Thread* thread = hart.thread;
    if (thread == nullptr) {
        print("hart %u: booting\n", hart.index.value);
    } else if (thread->is_idle()) {
        print("hart %u: idle\n", hart.index.value);
    } else {
        print("hart %u: thread %lu '%s' of process %lu '%s'\n", hart.index.value,
              static_cast<uint64_t>(thread->id()), thread->name(),
              static_cast<uint64_t>(thread->process().id()), thread->process().name());
    }
}

void print_held_locks(const Hart& hart) {
    if constexpr (!kDebugBuild) return;
    for (uint32_t i = 0; i < hart.held_count; ++i) {
        print("    holds a lock of rank %u\n", static_cast<uint32_t>(hart.held_ranks[i]));
    }
}

void print_own_locks() { print_held_locks(this_hart()); }

void print_other_harts() {
    uint64_t pcs[kMaxFrames];
    for (uint32_t i = 0; i < Harts::count(); ++i) {
        const Hart& hart = Harts::at({i});
        if (&hart == &this_hart()) continue;
        print_thread(hart);
        if (!hart.block.stopped.load(std::memory_order_acquire)) {
            print("    did not stop\n");
            continue;
        }
        print_frames(First::kExact, pcs,
                     arch::backtrace_from(hart.block.stopped_pc, hart.block.stopped_frame_pointer,
                                          pcs, kMaxFrames));
        print_held_locks(hart);
    }
}

// What follows the cause and this hart's frames, the surest first: what is broken may be what a
// part looks at. A part that breaks is left, and the report goes on with the next one.
void print_subject() {
    if (const Object* subject = subject_of_panic()) print_object(*subject);
}
constexpr void (*kParts[])() = {print_own_locks, print_other_harts, print_last_records,
                                print_subject, print_wait_graph};
uint32_t next_part = 0;

[[noreturn]] void finish_report() {
    while (next_part < std::size(kParts)) kParts[next_part++]();
    print("--- end of report\n");
    platform::power_off(kPanicStatus);
}

// The first hart to get here reports; others park, and a panic during the report goes on with it.
void begin_report() {
    console_break_lock();
    if (!reported.set_first() && machine_stopped_by == &this_hart()) {
        print("\n(this part of the report cannot be had)\n");
        finish_report();
    }
    arch::stop_other_harts();
    machine_stopped_by = &this_hart();
    print("\n--- kernel panic\n");
}

}  // namespace

void panic(const char* reason, SourceLocation where) {
    begin_report();
    print("cause: %s\nat: %s:%u in %s\n", reason, where.file, where.line, where.function);
    print_thread(this_hart());
    uint64_t pcs[kMaxFrames];
    print_frames(First::kReturnAddress, pcs, arch::backtrace(pcs, kMaxFrames));
    finish_report();
}

void on_kernel_fault(const arch::UserFrame& registers, const arch::Fault& fault) {
    begin_report();
    print("cause: trap %lu in the kernel at pc %lx, address %lx\n", fault.cause, fault.pc,
          fault.address);
    print_thread(this_hart());
    for (uint32_t i = 1; i < 32; ++i) {
        print(" x%u%s=%016lx%s", i, i < 10 ? " " : "", registers.x[i], i % 4 == 0 ? "\n" : "");
    }
    print("\n");
    uint64_t pcs[kMaxFrames];
    constexpr uint32_t kFramePointer = 8;
    print_frames(First::kExact, pcs,
                 arch::backtrace_from(fault.pc, registers.x[kFramePointer], pcs, kMaxFrames));
    finish_report();
}
