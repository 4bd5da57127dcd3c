#include "hosted/program.h"

#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "arch/entry.h"
#include "arch/hart.h"
#include "arch/paging.h"
#include "hosted/machine.h"
#include "memory/address_space.h"
#include "memory/memory_object.h"
#include "sched/scheduler.h"

namespace hosted {

namespace {

constexpr uint64_t kAreaBytes = Program::kAreaPages * kPageSize;

// The part of RAM that the kernel does not have, cut into areas.
class Areas {
  public:
    PhysicalAddress take() {
        if (!free_.empty()) {
            const PhysicalAddress area = free_.back();
            free_.pop_back();
            return area;
        }
        check(next_ + kAreaBytes <= kRamBytes, "a test has too many programs");
        return kRamBase + std::exchange(next_, next_ + kAreaBytes);
    }
    void give_back(PhysicalAddress area) { free_.push_back(area); }

  private:
    uint64_t next_ = kKernelRam;
    std::vector<PhysicalAddress> free_;
};
Areas areas;

std::set<const Thread*> workers;

}  // namespace

bool at_work() { return workers.contains(this_hart().thread); }

int64_t system_call(Call call, const uint64_t (&a)[6]) {
    arch::open_interrupt_window();
    if (this_hart().block.attention != 0) attend();
    const auto number = static_cast<uint32_t>(call);
    const auto* table = this_hart().block.system_call_table.load(std::memory_order_relaxed);
    const int64_t result = table[number](a[0], a[1], a[2], a[3], a[4], a[5]);
    if (this_hart().block.attention != 0) attend();
    return result;
}

Program::Enter::Enter(Thread& thread) : before_(std::exchange(this_hart().thread, &thread)) {
    enter_space(&thread.space().page_table());
}

Program::Enter::~Enter() {
    this_hart().thread = before_;
    enter_space(nullptr);
}

Program::Program(Budget& budget, const char* name) {
    process_ = Process::create(budget, name, KPRIORITY_MAX).take();
    const PhysicalAddress area = areas.take();
    area_ = static_cast<uint8_t*>(arch::physical_pointer(area));
    memory_ = MemoryObject::create_physical(budget, area, kAreaBytes).take();
    constexpr Protection kData{.read = true, .write = true};
    const auto mapped = process_->space().map(*memory_, 0, kArea, kAreaBytes, kData, kData);
    check(mapped.ok(), "a program's memory cannot be mapped");
    driver_ = process_->create_thread("driver").take();
}

Program::~Program() {
    process_->end({.code = 0});
    driver_ = nullptr;
    for (const Task& task : tasks_) workers.erase(task.thread.get());
    run_to_quiet();  // the threads use their tasks until they have ended
    tasks_.clear();
    process_ = nullptr;
    memory_ = nullptr;
    areas.give_back(arch::physical_address_of(area_));
    run_to_quiet();
}

void* Program::allocate(uint64_t size, uint64_t alignment) {
    used_ = (used_ + alignment - 1) / alignment * alignment;
    check(used_ + size <= kAreaBytes, "a program's memory is used up");
    void* made = area_ + std::exchange(used_, used_ + size);
    std::memset(made, 0, size);
    return made;
}

uint64_t Program::address(const void* made) const {
    return kArea.value + static_cast<uint64_t>(static_cast<const uint8_t*>(made) - area_);
}

void Program::main(uint64_t task_address, uint64_t) {
    auto& task = *reinterpret_cast<Task*>(task_address);
    workers.insert(task.thread.get());
    task.work();
    workers.erase(task.thread.get());
    task.done = true;
    // The program ends with its last thread, and the test wants to look at it first.
    while (true) sys(Call::sleep_until, KAIROS_TIME_INFINITE);
}

Program::Task& Program::start(HartIndex hart, std::function<void()> work) {
    Task& task = tasks_.emplace_back();
    task.work = std::move(work);
    task.thread = process_->create_thread("task").take();
    Scheduler::set_affinity(*task.thread, uint64_t{1} << hart.value);
    const VirtualAddress entry{reinterpret_cast<uint64_t>(&Program::main)};
    const auto argument = reinterpret_cast<uint64_t>(&task);
    Status status;
    if (std::exchange(started_, true)) {
        status = process_->start_thread(*task.thread, entry, {}, argument, 0);
    } else {
        TransferReservation nothing;
        // The first thread finds its handle in a0; what it works on is its argument.
        status = process_->start(*task.thread, {reinterpret_cast<uint64_t>(&Program::first_main)},
                                 {}, nothing, argument);
    }
    check(status.ok(), "a thread cannot be started");
    return task;
}

void Program::first_main(uint64_t, uint64_t task_address) { main(task_address, 0); }

}  // namespace hosted
