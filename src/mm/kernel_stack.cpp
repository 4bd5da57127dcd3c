#include "mm/kernel_stack.h"

#include <algorithm>
#include <optional>

#include "arch/paging.h"
#include "base/bits.h"
#include "mm/frames.h"
#include "sync/spin_lock.h"

namespace mm {

namespace {

constexpr uint64_t kStride = KernelStack::kBytes + kPageSize;  // with the guard page, lowest
constexpr uint64_t kPages = KernelStack::kBytes / kPageSize;
constexpr uint32_t kMaxSlots = 65536;
constexpr uint32_t kWordBits = 64;

// Which slots have a stack. Searched from a place below which none is vacant.
class SlotMap {
  public:
    std::optional<uint32_t> take(uint32_t limit) {
        for (; first_ < limit; first_ = (first_ / kWordBits + 1) * kWordBits) {
            const uint64_t vacant = ~words_[first_ / kWordBits];
            if (vacant == 0) continue;
            first_ = first_ / kWordBits * kWordBits + lowest_bit(vacant);
            if (first_ >= limit) break;
            words_[first_ / kWordBits] |= bit(first_);
            return first_;
        }
        return std::nullopt;
    }
    void give_back(uint32_t slot) {
        words_[slot / kWordBits] &= ~bit(slot);
        first_ = std::min(first_, slot);
    }

  private:
    static constexpr uint64_t bit(uint32_t slot) { return uint64_t{1} << slot % kWordBits; }

    uint64_t words_[kMaxSlots / kWordBits] = {};
    uint32_t first_ = 0;
};

// Lies at the base of a stack that nobody uses.
struct IdleStack {
    IdleStack* next;
};

// The tables of the stack region are the kernel's own and stay.
class KernelTables final : public arch::TableSource {
  public:
    Result<PhysicalAddress> allocate_table() override {
        const PhysicalAddress table = TRY(allocate_zeroed_frame());
        ++count;
        return table;
    }
    void free_table(PhysicalAddress table) override {
        --count;
        free_frame(table);
    }

    uint32_t count = 0;
};

constinit SpinLock lock{LockRank::kKernelStack};
// Guarded by the lock.
constinit SlotMap slots;
IdleStack* pool = nullptr;  // mapped and ready
uint32_t pooled = 0;
uint32_t mapped = 0;         // stacks that there are
uint32_t kept_for_ever = 0;  // of those, by harts
constinit KernelTables tables;

uint32_t slot_count() {
    return static_cast<uint32_t>(
        std::min<uint64_t>(kMaxSlots, arch::kernel_stack_region_size() / kStride));
}

VirtualAddress base_of(uint32_t slot) {
    return arch::kernel_stack_region() + slot * kStride + kPageSize;
}

uint32_t slot_of(VirtualAddress address) {
    return static_cast<uint32_t>((address - arch::kernel_stack_region()) / kStride);
}

// Stacks that go together, because making every hart forget a page costs far more than all else.
constexpr uint32_t kUnmappedTogether = KernelStack::kMaxPooled / 2;

struct Going {
    uint32_t count = 0;
    VirtualAddress bases[kUnmappedTogether];
    PhysicalAddress frames[kUnmappedTogether * kPages];

    // The lock is held.
    void take_from_pool() {
        for (; count < kUnmappedTogether; ++count) {
            bases[count] = {reinterpret_cast<uint64_t>(pool)};
            pool = pool->next;
            --pooled;
            for (uint64_t i = 0; i < kPages; ++i) {
                frames[count * kPages + i] = arch::unmap_kernel_page(bases[count] + i * kPageSize);
            }
        }
    }
    // Nobody holds the lock. The slots are free when no hart reaches the frames any more.
    void finish() {
        if (count == 0) return;
        arch::flush_kernel_pages();
        for (uint64_t i = 0; i < count * kPages; ++i) free_frame(frames[i]);
        LockGuard guard(lock);
        for (uint32_t i = 0; i < count; ++i) slots.give_back(slot_of(bases[i]));
        mapped -= count;
    }
};

// What was mapped of a stack that could not be completed.
void unmap_pages(VirtualAddress base, uint64_t pages) {
    PhysicalAddress frames[kPages];
    for (uint64_t i = 0; i < pages; ++i) {
        frames[i] = arch::unmap_kernel_page(base + i * kPageSize);
    }
    arch::flush_kernel_pages();
    for (uint64_t i = 0; i < pages; ++i) free_frame(frames[i]);
}

Status map_page(VirtualAddress page) {
    const PhysicalAddress frame = TRY(allocate_frame());
    const Status mapped = arch::map_kernel_page(page, frame, tables);
    if (!mapped) free_frame(frame);
    return mapped;
}

Status map_pages(VirtualAddress base) {
    for (uint64_t i = 0; i < kPages; ++i) {
        if (const Status mapped = map_page(base + i * kPageSize); !mapped) {
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
    const std::optional<uint32_t> slot = slots.take(slot_count());
    if (!slot) return Fail(Error::NOMEM);
    const Status done = map_pages(base_of(*slot));
    if (!done) {
        slots.give_back(*slot);
        return Fail(done.error());
    }
    ++mapped;
    return KernelStack(base_of(*slot));
}

KernelStack::~KernelStack() {
    if (base_.value == 0) return;
    Going going;
    {
        LockGuard guard(lock);
        auto* idle = reinterpret_cast<IdleStack*>(base_.value);
        idle->next = pool;
        pool = idle;
        if (++pooled == kMaxPooled) going.take_from_pool();
    }
    going.finish();
}

void* KernelStack::release_for_ever() {
    LockGuard guard(lock);
    ++kept_for_ever;
    return top_of(std::exchange(base_, {}));
}

HandedOut KernelStack::handed_out() {
    LockGuard guard(lock);
    return {.frames = mapped * kPages + tables.count,
            .charged_bytes = (mapped - pooled - kept_for_ever) * kBytes};
}

void* KernelStack::guarded_by(VirtualAddress address) {
    const uint64_t offset = address - arch::kernel_stack_region();  // wraps below the region
    if (offset >= slot_count() * kStride || offset % kStride >= kPageSize) return nullptr;
    return top_of(base_of(slot_of(address)));
}

}  // namespace mm
