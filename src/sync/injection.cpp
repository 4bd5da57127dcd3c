#include "sync/injection.h"

#include <atomic>

#include "base/assert.h"

namespace {
constinit std::atomic<uint64_t> left{0};  // places until it happens; 0: never
constinit Injection kind = Injection::kNone;

void store_to_nowhere() {
    auto* nowhere = reinterpret_cast<volatile uint64_t*>(UINT64_MAX - 0xffff'ff07);
    *nowhere = 1;
}

// Without relax(), in which harts can be stopped.
[[noreturn]] void hang() {
    while (true) std::atomic_signal_fence(std::memory_order_seq_cst);
}
}  // namespace

void inject(Injection what, uint64_t at) {
    kind = what;
    left.store(at, std::memory_order_relaxed);
}

bool injected(Injection what) {
    if (kind != what || left.load(std::memory_order_relaxed) == 0) return false;
    return left.fetch_sub(1, std::memory_order_relaxed) == 1;
}

void injection_point() {
    if (injected(Injection::kFault)) store_to_nowhere();
    if (injected(Injection::kHang)) hang();
    if (injected(Injection::kPanic)) panic("injected");
}
