#include "device/interrupt.h"

#include "platform/interrupts.h"
#include "sync/hart.h"

namespace {
constexpr uint32_t kMaxLines = 128;

// Who has which line. An entry is taken before its object exists, and given up after the line has
// been masked for good.
AtomicFlag taken[kMaxLines];
// Borrowed: an interrupt handler uses it on one hart without blocking.
std::atomic<Interrupt*> line_owners[kMaxLines];
}  // namespace

Result<Ref<Interrupt>> Interrupt::create(Budget& budget, uint64_t line) {
    if (line == 0 || line > platform::interrupt_count() || line >= kMaxLines) {
        return Fail(Error::INVAL);
    }
    if (!taken[line].set_first()) return Fail(Error::BUSY);
    auto created = ObjectStorage<Interrupt>::create(budget, static_cast<uint32_t>(line));
    if (created) {
        line_owners[line].store((*created).get(), std::memory_order_release);
    } else {
        taken[line].clear();
    }
    return created;
}

void Interrupt::acknowledge() {
    LockGuard held(guard());
    if (closed()) return;
    raised_ = false;
    platform::interrupt_unmask(line_, this_hart().index);
}

void Interrupt::on_external() {
    const auto line = platform::interrupt_claim();
    if (!line) return;
    platform::interrupt_mask(*line);
    platform::interrupt_complete(*line);
    Interrupt* interrupt =
        *line < kMaxLines ? line_owners[*line].load(std::memory_order_acquire) : nullptr;
    if (interrupt == nullptr) return;
    WakeBatch wakes;
    LockGuard held(interrupt->guard());
    if (interrupt->closed()) return;
    interrupt->raised_ = true;
    interrupt->raise(KPORT_BIND_INTERRUPT, WakeReason::kData, wakes);
}

bool Interrupt::on_unowned() {
    {
        WakeBatch wakes;
        LockGuard held(guard());
        close(wakes);
        platform::interrupt_mask(line_);
    }
    line_owners[line_].store(nullptr, std::memory_order_release);
    taken[line_].clear();
    return false;
}
