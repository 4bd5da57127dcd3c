// RAM, harts, interrupts and the clock of the hosted machine.
#include "hosted/machine.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>

#include "arch/backtrace.h"
#include "arch/entry.h"
#include "arch/firmware.h"
#include "arch/hart.h"
#include "arch/smp.h"
#include "arch/time.h"
#include "base/assert.h"
#include "sync/hart.h"

namespace hosted {

std::function<void()> on_relax;
std::function<void()> on_window;
std::function<void()> on_idle;

namespace {

constexpr uint64_t kStackRegionBytes = uint64_t{64} << 20;
constexpr uint64_t kRamAlignment = uint64_t{4} << 20;  // as that of the largest block of frames

int ram_file = -1;  // so that a frame can be seen at a second address: a kernel stack's
char* ram = nullptr;
char* devices = nullptr;
char* stack_region = nullptr;

std::map<VirtualAddress, PhysicalAddress> kernel_pages;  // under the lock of kernel stacks

std::atomic<uint64_t> time_now{1};
std::atomic<uint64_t> timers[kMaxHarts];
std::atomic<uint64_t> ipis[kMaxHarts];

thread_local Hart* current_hart = nullptr;

char* reserve(uint64_t bytes) {
    void* address = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) std::abort();
    return static_cast<char*>(address);
}

void show(char* at, uint64_t bytes, uint64_t offset) {
    void* shown = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram_file,
                       static_cast<off_t>(offset));
    if (shown == MAP_FAILED) std::abort();
}

void make_memory() {
    ram_file = memfd_create("ram", 0);
    if (ram_file < 0 || ftruncate(ram_file, kRamBytes + kDeviceBytes) != 0) std::abort();
    const auto address = reinterpret_cast<uint64_t>(reserve(kRamBytes + kRamAlignment));
    ram = reinterpret_cast<char*>((address + kRamAlignment - 1) & ~(kRamAlignment - 1));
    show(ram, kRamBytes, 0);
    devices = reserve(kDeviceBytes);
    show(devices, kDeviceBytes, kRamBytes);
    stack_region = reserve(kStackRegionBytes);
}

}  // namespace

void start(uint32_t harts) {
    if (ram != nullptr) return;
    make_memory();
    for (uint32_t i = 0; i < harts; ++i) {
        Harts::add(i).block.bit = uint32_t{1} << i;
        timers[i] = KAIROS_TIME_INFINITE;
    }
    enter_hart({0});
}

void enter_hart(HartIndex hart) { current_hart = &Harts::at(hart); }

void set_time(Instant now) { time_now = now.nanoseconds; }
Instant timer_of(HartIndex hart) { return {timers[hart.value].load()}; }
uint64_t take_ipis(HartIndex hart) { return ipis[hart.value].exchange(0); }

bool interrupt_pending(HartIndex hart) {
    return ipis[hart.value].load() != 0 || timers[hart.value].load() <= time_now.load();
}

void enter_space(const arch::PageTable* space) {
    Hart& hart = this_hart();
    hart.block.satp = space == nullptr ? 0 : space->satp();
    if (space != nullptr) space->harts().fetch_or(hart.block.bit);
}

}  // namespace hosted

namespace arch {

using namespace hosted;

HartBlock* hart_block() { return &current_hart->block; }

void relax() {
    if (on_relax) {
        on_relax();
    } else {
        sched_yield();
    }
}

void open_interrupt_window() {
    if (on_window) on_window();
    const uint32_t hart = this_hart().index.value;
    if (ipis[hart].exchange(0) != 0) on_ipi();
    if (timers[hart].load() <= time_now.load()) on_timer();
}

void idle_until_interrupt() {
    if (on_idle) on_idle();
    open_interrupt_window();
}

Instant now() { return {time_now.load()}; }
uint64_t ticks() { return time_now.load(); }
Instant instant_of(uint64_t ticks) { return {ticks}; }
void init_time(uint32_t, bool) {}
void set_timer(Instant when) { timers[this_hart().index.value] = when.nanoseconds; }

bool start_hart(Hart&, void*) { return true; }
void send_ipi(Hart& hart) { ipis[hart.index.value].fetch_add(1); }
void stop_other_harts() {}

size_t backtrace(uint64_t*, size_t) { return 0; }
size_t backtrace_from(uint64_t, uint64_t, uint64_t*, size_t) { return 0; }
void halt() { std::abort(); }
void firmware_put(char character) { (void)!write(STDERR_FILENO, &character, 1); }
void firmware_power_off() { std::abort(); }

// ---- The kernel's own mappings ------------------------------------------------------------------

void* physical_pointer(PhysicalAddress address) {
    if (address.value - kRamBase.value < kRamBytes) return ram + (address.value - kRamBase.value);
    check(address.value - kDeviceBase.value < kDeviceBytes, "there is no such physical address");
    return devices + (address.value - kDeviceBase.value);
}

PhysicalAddress physical_address_of(const void* pointer) {
    const auto offset = static_cast<uint64_t>(static_cast<const char*>(pointer) - ram);
    check(offset < kRamBytes, "not a pointer to RAM");
    return kRamBase + offset;
}

PhysicalAddress kernel_image() { return kRamBase; }
uint64_t kernel_image_size() { return 0; }

VirtualAddress kernel_stack_region() { return {reinterpret_cast<uint64_t>(stack_region)}; }
uint64_t kernel_stack_region_size() { return kStackRegionBytes; }

// One table for each 2 MiB of the region, which stays, as on the real machine.
Status map_kernel_page(VirtualAddress page, PhysicalAddress frame, TableSource& source) {
    static PhysicalAddress tables[kStackRegionBytes >> 21];
    const uint64_t offset = page - kernel_stack_region();
    check(offset < kStackRegionBytes, "kernel page outside its region");
    PhysicalAddress& table = tables[offset >> 21];
    if (table.value == 0) table = TRY(source.allocate_table());
    const bool is_new = kernel_pages.emplace(page, frame).second;
    check(is_new, "kernel page is mapped already");
    show(stack_region + offset, kPageSize, frame.value - kRamBase.value);
    return {};
}

PhysicalAddress unmap_kernel_page(VirtualAddress page) {
    const auto found = kernel_pages.find(page);
    check(found != kernel_pages.end(), "kernel page is not mapped");
    const PhysicalAddress frame = found->second;
    kernel_pages.erase(found);
    mmap(reinterpret_cast<void*>(page.value), kPageSize, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return frame;
}

void flush_kernel_pages() {}

}  // namespace arch
