// The hosted machine: RAM, harts, TLBs and a clock for unit tests of the kernel's portable part.
// There is one machine per test program, made by the first call of start().
//
// RAM is one host mapping that stands for physical addresses from kRamBase on. User memory is never
// a host address: it is reached through the page table of the address space that a hart has
// entered, by way of a model of the hart's TLB that keeps what it has seen until it is told to
// forget, so a flush that is missing shows.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "arch/paging.h"
#include "base/types.h"

namespace hosted {

// ---- The machine --------------------------------------------------------------------------------

inline constexpr PhysicalAddress kRamBase{0x8000'0000};
inline constexpr uint64_t kRamBytes = uint64_t{128} << 20;
inline constexpr PhysicalAddress kDeviceBase{0x1000'0000};
inline constexpr uint64_t kDeviceBytes = uint64_t{1} << 20;

// Makes RAM and `harts` harts, and lets the calling host thread be the first. Later calls do
// nothing.
void start(uint32_t harts);
// The calling host thread is this hart from now on. Two at once is the test's mistake.
void enter_hart(HartIndex hart);

// ---- What the kernel says
// -------------------------------------------------------------------------

// What panic() throws.
struct Panic : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What the kernel has logged and printed since this was last asked.
std::string take_log();

// Called by preemption_point(), for tests that do something in between; none at first.
extern std::function<void()> on_preemption_point;
// Called by arch::relax(); yields to other host threads if it is not set.
extern std::function<void()> on_relax;
// Called before a hart lets interrupts in, and when it has nothing to do until one comes.
extern std::function<void()> on_window;
extern std::function<void()> on_idle;

// ---- Time and interrupts
// --------------------------------------------------------------------------

void set_time(Instant now);
// What the hart's timer is set to.
Instant timer_of(HartIndex hart);
// IPIs sent to the hart since this was last asked.
uint64_t take_ipis(HartIndex hart);
// Whether the hart would be interrupted now.
bool interrupt_pending(HartIndex hart);

// ---- User memory
// ----------------------------------------------------------------------------------

// This hart runs in an address space from now on; null: in the kernel's own.
void enter_space(const arch::PageTable* space);
// Who resolves the page faults of user accesses; none: nobody.
extern std::function<bool(VirtualAddress, arch::Access)> on_page_fault;

// One access of up to a page, as user mode would do it, inside one page. False: a fault that was
// not resolved.
bool user_access(VirtualAddress address, arch::Access access, void* bytes, size_t size);

struct FlushCounts {
    uint64_t flushes = 0;
    uint64_t pages = 0;  // asked for, summed up
};
FlushCounts flush_counts();

// Whether no TLB of any hart allows more, or another frame, than the page table does now.
bool tlbs_agree(const arch::PageTable& table);
// How many translations of the address space all TLBs hold together.
uint64_t tlb_entries(const arch::PageTable& table);
// Whether any TLB of any hart leads to the frame.
bool any_tlb_reaches(PhysicalAddress frame);

}  // namespace hosted
