// Faults: accesses that are not allowed end the process, with a report of where and why; those that
// are allowed do not.
#include "harness.h"
#include "messages.h"
#include "tiny.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;

// RISC-V exception codes.
constexpr uint64_t kIllegalInstruction = 2;
constexpr uint64_t kBreakpoint = 3;
constexpr uint64_t kFetchFault = 12;
constexpr uint64_t kLoadFault = 13;
constexpr uint64_t kStoreFault = 15;

constexpr uint64_t kTarget = 0x40000;

struct Snippet {
    const char* begin;
    const char* end;
};

// A tiny process with a page at kTarget, mapped with `protection`, that touches `address`.
struct Toucher : TinyProcess {
    Toucher(const Snippet& snippet, uint64_t address, uint32_t protection) {
        set_code(snippet.begin, snippet.end);
        // Code that returns to nobody: what a jump into the page finds.
        REQUIRE_STATUS(0, kairos_memory_write(page, 0, tiny_exit_now(), 16));
        void* at = reinterpret_cast<void*>(kTarget);
        REQUIRE_STATUS(0, kairos_map(space, page, 0, &at, kPage, protection));
        start({}, address);
    }
    // lui t0, 0x20; ld a7, 80(t0); ld a0, 88(t0); ecall
    static const uint32_t* tiny_exit_now() {
        static const uint32_t kCode[] = {0x000202b7, 0x0502b883, 0x0582b503, 0x00000073};
        return kCode;
    }
    Owned page = make_memory();
};

void expect_fine(const Snippet& snippet, uint32_t protection) {
    const Toucher toucher(snippet, kTarget, protection);
    EXPECT_EQ(kTinyExitCode, toucher.exit_code());
    EXPECT_EQ(0u, process_info(toucher.process).fault_cause);
    EXPECT_EQ(0u, process_info(toucher.process).fault_pc);
}

void expect_fault(const Snippet& snippet, uint64_t address, uint32_t protection, uint64_t cause) {
    const Toucher toucher(snippet, address, protection);
    EXPECT_STATUS(-EFAULT, toucher.exit_code());
    const kairos_info_process info = process_info(toucher.process);
    EXPECT_STATUS(-EFAULT, info.exit_code);
    EXPECT_EQ(cause, info.fault_cause);
    EXPECT_EQ(address, info.fault_address);
    const bool fetches = cause == kFetchFault;
    EXPECT_EQ(fetches ? address : kTinyCode, info.fault_pc);
    EXPECT_EQ(KAIROS_PROCESS_ENDED, info.state);
    EXPECT_EQ(0u, info.threads);
}

const Snippet kLoad = {tiny_load, tiny_load_end};
const Snippet kStore = {tiny_store, tiny_store_end};
const Snippet kJump = {tiny_jump, tiny_jump_end};

}  // namespace

TEST("what the protection allows") {
    expect_fine(kLoad, KPROT_READ);
    expect_fine(kLoad, KPROT_READ | KPROT_WRITE);
    expect_fine(kStore, KPROT_READ | KPROT_WRITE);
    expect_fine(kJump, KPROT_READ | KPROT_EXEC);
    expect_fine(kJump, KPROT_EXEC);
}

TEST("a load that is not allowed") {
    expect_fault(kLoad, kTarget, 0, kLoadFault);
    expect_fault(kLoad, kTarget, KPROT_EXEC, kLoadFault);
    expect_fault(kLoad, kTarget + kPage, KPROT_READ, kLoadFault);
    expect_fault(kLoad, 0, KPROT_READ, kLoadFault);
    expect_fault(kLoad, 0x123456789a, KPROT_READ, kLoadFault);
}

TEST("a store that is not allowed") {
    expect_fault(kStore, kTarget, 0, kStoreFault);
    expect_fault(kStore, kTarget, KPROT_READ, kStoreFault);
    expect_fault(kStore, kTarget, KPROT_READ | KPROT_EXEC, kStoreFault);
    expect_fault(kStore, kTarget, KPROT_EXEC, kStoreFault);
    expect_fault(kStore, kTinyCode, KPROT_READ, kStoreFault);
}

TEST("a jump that is not allowed") {
    expect_fault(kJump, kTarget, 0, kFetchFault);
    expect_fault(kJump, kTarget, KPROT_READ, kFetchFault);
    expect_fault(kJump, kTarget, KPROT_READ | KPROT_WRITE, kFetchFault);
    expect_fault(kJump, kTinyData, KPROT_READ, kFetchFault);
    expect_fault(kJump, 0, KPROT_READ, kFetchFault);
}

TEST("kernel addresses are out of reach") {
    for (const uint64_t address : {0xffffffc000000000, 0xffffffc080200000, 0xffffffffffffe000}) {
        expect_fault(kLoad, address, KPROT_READ, kLoadFault);
        expect_fault(kStore, address, KPROT_READ, kStoreFault);
        expect_fault(kJump, address, KPROT_READ, kFetchFault);
    }
}

TEST("non-canonical addresses") {
    // Whether the hardware calls these page faults or access faults is its own affair.
    for (const uint64_t address : {uint64_t{1} << 38, uint64_t{1} << 63, 0xffffff0000000000}) {
        for (const Snippet& snippet : {kLoad, kStore}) {
            const Toucher toucher(snippet, address, KPROT_READ);
            EXPECT_STATUS(-EFAULT, toucher.exit_code());
            EXPECT_EQ(kTinyCode, process_info(toucher.process).fault_pc);
        }
    }
}

TEST("instructions that a user may not run") {
    const struct {
        Snippet snippet;
        uint64_t cause;
    } all[] = {
        {{tiny_illegal, tiny_illegal_end}, kIllegalInstruction},
        {{tiny_breakpoint, tiny_breakpoint_end}, kBreakpoint},
        {{tiny_supervisor, tiny_supervisor_end}, kIllegalInstruction},
    };
    for (const auto& one : all) {
        TinyProcess tiny;
        tiny.set_code(one.snippet.begin, one.snippet.end);
        tiny.start();
        EXPECT_STATUS(-EFAULT, tiny.exit_code());
        const kairos_info_process info = process_info(tiny.process);
        EXPECT_EQ(one.cause, info.fault_cause);
        EXPECT_EQ(kTinyCode, info.fault_pc);
    }
}

TEST("a fault ends the whole process and closes its handles") {
    Channel channel;
    TinyProcess tiny;
    tiny.set_code(tiny_load, tiny_load_end);
    Owned second;
    REQUIRE_STATUS(0, kairos_thread_create(tiny.process, "second", second.out()));
    tiny.start(std::move(channel.b), 0);
    EXPECT_STATUS(-EFAULT, tiny.exit_code());
    EXPECT_EQ(POLLHUP, ready(channel.a, 0));
    EXPECT_EQ(POLLIN | POLLHUP, ready(tiny.thread, POLLIN));
    EXPECT_ONE_OF(ANY(-ESRCH, -EINVAL),
                  kairos_thread_start(second, kTinyCode, kTinyStackTop, 0, 0));
}

TEST("a memory object that ends within the mapping's life") {
    // Handles and creator are gone; the mapping still has its pages.
    TinyProcess tiny;
    {
        const Owned memory = make_memory();
        const char seven = 7;
        REQUIRE_STATUS(0, kairos_memory_write(memory, 0, &seven, 1));
        void* at = reinterpret_cast<void*>(kTarget);
        REQUIRE_STATUS(0, kairos_map(tiny.space, memory, 0, &at, kPage, KPROT_READ));
    }
    tiny.set_code(tiny_load, tiny_load_end);
    tiny.start({}, kTarget);
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
}
