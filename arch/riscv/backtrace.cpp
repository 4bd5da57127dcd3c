// Frame pointers. Every kernel function keeps one: at fp - 8 is its return address, at fp - 16 its
// caller's frame pointer. A trap taken in the kernel leaves such a record too (trap.S).
//
// A broken chain must not break a panic: each record is looked up in the page tables before it is
// read and must lie where stacks are, the chain may only rise, and it ends where user code called.
#include "arch/backtrace.h"

#include "kernel_map.h"
#include "layout.h"

extern "C" char user_calls_begin[], user_calls_end[];

namespace arch {
namespace {

struct FrameRecord {
    uint64_t frame_pointer;
    uint64_t pc;
};

uint64_t value_of(const char* symbol) { return reinterpret_cast<uint64_t>(symbol); }

bool is_kernel_text(uint64_t pc) {
    return pc >= value_of(kernel_text_begin) && pc < value_of(kernel_text_end);
}

bool is_call_from_user(uint64_t pc) {
    return pc > value_of(user_calls_begin) && pc <= value_of(user_calls_end);
}

const FrameRecord* record_below(uint64_t frame_pointer) {
    const VirtualAddress record{frame_pointer - sizeof(FrameRecord)};
    const bool sound = frame_pointer % alignof(FrameRecord) == 0 &&
                       record.value >= kStackRegionBase && kernel_can_read(record) &&
                       kernel_can_read({frame_pointer - 1});
    return sound ? reinterpret_cast<const FrameRecord*>(record.value) : nullptr;
}

size_t walk(uint64_t frame_pointer, uint64_t* pcs, size_t max) {
    size_t count = 0;
    while (count < max) {
        const FrameRecord* record = record_below(frame_pointer);
        if (record == nullptr || !is_kernel_text(record->pc)) break;
        pcs[count++] = record->pc;
        if (is_call_from_user(record->pc) || record->frame_pointer <= frame_pointer) break;
        frame_pointer = record->frame_pointer;
    }
    return count;
}

// A function that calls nothing keeps its caller's frame pointer where others keep the return
// address, and has that in a register only. If the walk starts in one, its caller is left out.
uint64_t skip_leaf(uint64_t frame_pointer) {
    const FrameRecord* record = record_below(frame_pointer);
    return record != nullptr && !is_kernel_text(record->pc) ? record->pc : frame_pointer;
}

}  // namespace

size_t backtrace(uint64_t* pcs, size_t max) {
    return walk(reinterpret_cast<uint64_t>(__builtin_frame_address(0)), pcs, max);
}

size_t backtrace_from(uint64_t pc, uint64_t frame_pointer, uint64_t* pcs, size_t max) {
    if (max == 0) return 0;
    pcs[0] = pc;
    return 1 + walk(skip_leaf(frame_pointer), pcs + 1, max - 1);
}

}  // namespace arch
