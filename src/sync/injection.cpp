#include "sync/injection.h"

#include <atomic>

#include "base/assert.h"

namespace {
constinit std::atomic<uint64_t> left{0};  // points until it happens; 0: never
constinit Injection kind = Injection::kNone;

void store_to_nowhere() {
    auto* nowhere = reinterpret_cast<volatile uint64_t*>(UINT64_MAX - 0xffff'ff07);
    *nowhere = 1;
}
}  // namespace

void inject(Injection what, uint64_t at) {
    kind = what;
    left.store(at, std::memory_order_relaxed);
}

void injection_point() {
    if (kind == Injection::kNone || left.load(std::memory_order_relaxed) == 0) return;
    if (left.fetch_sub(1, std::memory_order_relaxed) != 1) return;
    if (kind == Injection::kFault) store_to_nowhere();
    panic("injected");
}
