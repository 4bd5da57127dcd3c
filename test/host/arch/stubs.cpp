// What the portable part asks of layers that a unit test may lack. Weak: a test program that has
// the scheduler or the process layer gets theirs.
#include "arch/entry.h"
#include "base/assert.h"
#include "hosted/machine.h"
#include "sync/preemption.h"
#include "wait/parking.h"

namespace hosted {
std::function<void()> on_preemption_point;
}

void panic(const char* reason, SourceLocation) { throw hosted::Panic(reason); }

[[gnu::weak]] void preemption_point() {
    if (hosted::on_preemption_point) hosted::on_preemption_point();
}

[[gnu::weak]] uint64_t current_thread_id() { return 0; }
[[gnu::weak]] Waiter& current_waiter() { panic("nobody can sleep in this test"); }
[[gnu::weak]] void park(Waiter&) { panic("nobody can sleep in this test"); }
[[gnu::weak]] bool may_run_next(const Waiter&) { return false; }
[[gnu::weak]] void park_for(Waiter&, Waiter&) { panic("nobody can sleep in this test"); }
[[gnu::weak]] void make_ready(Waiter&) { panic("nobody sleeps in this test"); }

[[gnu::weak]] void on_timer() {}
[[gnu::weak]] void on_ipi() {}
[[gnu::weak]] bool resolve_user_fault(VirtualAddress address, arch::Access access) {
    return hosted::on_page_fault && hosted::on_page_fault(address, access);
}
