#include "mm/kernel_stack.h"

#include "arch/paging.h"
#include "mm/frames.h"
#include "sync/spin_lock.h"

namespace mm {

namespace {

constexpr uint64_t kStride = KernelStack::kBytes + kPageSize;  // with the guard page, lowest
constexpr uint32_t kMaxPooled = 32;

// Lies at the base of a stack that nobody uses.
struct IdleStack {
    IdleStack* next;
};

// The tables of the stack region are the kernel's own and stay.
class KernelTables final : public arch::TableSource {
  public:
    Result<PhysicalAddress> allocate_table() override { return allocate_zeroed_frame(); }
    void free_table(PhysicalAddress table) override { free_frame(table); }
};

constinit SpinLock lock{LockRank::kKernelStack};
// Guarded by the lock.
IdleStack* pool = nullptr;  // mapped and ready
uint32_t pooled = 0;
uint64_t slots_used_once = 0;  // slots beyond these were never used
constexpr uint32_t kMaxVacant = 1024;
VirtualAddress vacant[kMaxVacant];  // slots whose stacks were unmapped
uint32_t vacant_count = 0;
KernelTables tables;

VirtualAddress take_slot() {
    if (vacant_count > 0) return vacant[--vacant_count];
    if ((slots_used_once + 1) * kStride > arch::kernel_stack_region_size()) return {0};
    return arch::kernel_stack_region() + kStride * slots_used_once++ + kPageSize;
}

void unmap_pages(VirtualAddress base, uint64_t pages) {
    for (uint64_t i = 0; i < pages; ++i) {
        free_frame(arch::unmap_kernel_page(base + i * kPageSize));
    }
}

Status map_pages(VirtualAddress base) {
    for (uint64_t i = 0; i < KernelStack::kBytes / kPageSize; ++i) {
        Status mapped = Fail(Error::NOMEM);
        if (auto frame = allocate_frame()) {
            mapped = arch::map_kernel_page(base + i * kPageSize, *frame, tables);
            if (!mapped) free_frame(*frame);
        }
        if (!mapped) {
            unmap_pages(base, i);
            return mapped;
        }
    }
    return {};
}

}  // namespace

Result<KernelStack> KernelStack::allocate() {
    LockGuard guard(lock);
    if (pool != nullptr) {
        const VirtualAddress base{reinterpret_cast<uint64_t>(pool)};
        pool = pool->next;
        --pooled;
        return KernelStack(base);
    }
    const VirtualAddress base = take_slot();
    if (base.value == 0) return Fail(Error::NOMEM);
    if (Status mapped = map_pages(base); !mapped) {
        if (vacant_count < kMaxVacant) vacant[vacant_count++] = base;
        return Fail(mapped.error());
    }
    return KernelStack(base);
}

KernelStack::~KernelStack() {
    if (base_.value == 0) return;
    LockGuard guard(lock);
    if (pooled < kMaxPooled || vacant_count == kMaxVacant) {
        auto* idle = reinterpret_cast<IdleStack*>(base_.value);
        idle->next = pool;
        pool = idle;
        ++pooled;
        return;
    }
    unmap_pages(base_, kBytes / kPageSize);
    vacant[vacant_count++] = base_;
}

}  // namespace mm
