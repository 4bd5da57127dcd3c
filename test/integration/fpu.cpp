// The FPU: each thread's registers are its own, across system calls, switches, preemption and
// migration, and fcsr with them.
#include "harness.h"
#include "messages.h"
#include "raw.h"
#include "workers.h"

// Fills f0 to f31 with `seed` + 1 to 32 and fcsr with the low byte of `seed`, then `rounds` times:
// counts to `spins`, calls `step` (a system call without arguments), and compares. 0, or which
// register differed (33: fcsr).
extern "C" uint64_t hold_fpu_registers(uint64_t seed, uint64_t rounds, uint64_t spins,
                                       uint64_t step);

asm(R"(
    .macro each_fpu_register operation
    \operation 0
    \operation 1
    \operation 2
    \operation 3
    \operation 4
    \operation 5
    \operation 6
    \operation 7
    \operation 8
    \operation 9
    \operation 10
    \operation 11
    \operation 12
    \operation 13
    \operation 14
    \operation 15
    \operation 16
    \operation 17
    \operation 18
    \operation 19
    \operation 20
    \operation 21
    \operation 22
    \operation 23
    \operation 24
    \operation 25
    \operation 26
    \operation 27
    \operation 28
    \operation 29
    \operation 30
    \operation 31
    .endm
    .macro fill number
    addi t0, s0, \number + 1
    fmv.d.x f\number, t0
    .endm
    .macro compare number
    addi t0, s0, \number + 1
    fmv.x.d t1, f\number
    li a0, \number + 1
    bne t0, t1, 9f
    .endm
    .macro keep_saved operation
    \operation fs0, 48(sp)
    \operation fs1, 56(sp)
    \operation fs2, 64(sp)
    \operation fs3, 72(sp)
    \operation fs4, 80(sp)
    \operation fs5, 88(sp)
    \operation fs6, 96(sp)
    \operation fs7, 104(sp)
    \operation fs8, 112(sp)
    \operation fs9, 120(sp)
    \operation fs10, 128(sp)
    \operation fs11, 136(sp)
    .endm

    .pushsection .text
    .globl hold_fpu_registers
    .hidden hold_fpu_registers
    .type hold_fpu_registers, @function
hold_fpu_registers:
    addi sp, sp, -144
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    sd s2, 24(sp)
    sd s3, 32(sp)
    sd s4, 40(sp)
    keep_saved fsd
    mv s0, a0
    mv s1, a1
    mv s2, a2
    mv s3, a3
    frcsr s4
    each_fpu_register fill
    andi t0, s0, 0x1f
    fscsr t0
1:  beqz s1, 8f
    addi s1, s1, -1
    mv t0, s2
2:  beqz t0, 3f
    addi t0, t0, -1
    j 2b
3:  mv a7, s3
    ecall
    each_fpu_register compare
    andi t0, s0, 0x1f
    frcsr t1
    li a0, 33
    bne t0, t1, 9f
    j 1b
8:  li a0, 0
9:  fscsr s4
    keep_saved fld
    ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    ld s2, 24(sp)
    ld s3, 32(sp)
    ld s4, 40(sp)
    addi sp, sp, 144
    ret
    .size hold_fpu_registers, . - hold_fpu_registers
    .popsection
)");

namespace {

constexpr uint64_t kSeeds[] = {0x1111000000000001, 0x2222000000000002, 0x3333000000000004,
                               0x4444000000000008};

void hold(int which, uint64_t rounds, uint64_t spins, uint64_t step) {
    const uint64_t differed = hold_fpu_registers(kSeeds[which], rounds, spins, step);
    if (differed != 0) {
        harness::fail(__FILE__, __LINE__, "thread %d: f%d changed (32: fcsr)", which,
                      static_cast<int>(differed) - 1);
    }
}

}  // namespace

TEST("a system call leaves the FPU registers alone") {
    hold(0, 100, 0, KAIROS_SYS_nop);
    hold(1, 100, 0, KAIROS_SYS_yield);
    hold(2, 100, 0, KAIROS_SYS_clock_now);
}

TEST("threads that take turns on one hart keep their registers") {
    const auto run = [](int which) {
        pin(0);
        hold(which, 2000, 0, KAIROS_SYS_yield);
    };
    Worker one([&] { run(0); });
    Worker two([&] { run(1); });
    Worker three([&] { run(2); });
    // One that never touches the FPU in between.
    Worker four([&] {
        pin(0);
        for (int i = 0; i < 2000; ++i) kairos_yield();
    });
}

TEST("threads that are preempted keep their registers") {
    const auto run = [](int which) {
        pin(0);
        hold(which, 40, 1'000'000, KAIROS_SYS_nop);
    };
    Worker one([&] { run(0); });
    Worker two([&] { run(1); });
}

TEST("threads that move between harts keep their registers") {
    const uint32_t harts = hart_count();
    std::atomic<uint32_t> running{3};
    const auto run = [&](int which) {
        hold(which, 3000, 200, KAIROS_SYS_yield);
        running.fetch_sub(1);
    };
    Worker one([&] { run(0); });
    Worker two([&] { run(1); });
    Worker three([&] { run(2); });
    for (uint32_t i = 0; running.load() != 0; ++i) {
        const kairos_handle_t threads[] = {one.thread(), two.thread(), three.thread()};
        pin((i / 3) % harts, threads[i % 3]);
        kairos_yield();
    }
}

TEST("a thread that sleeps keeps its registers") {
    Channel channel;
    Worker echo([&] {
        Inbox inbox;
        volatile double number = 1.5;
        while (inbox.receive(channel.b) == 1) {
            number = number * 1.25 + 3;
            if (send_value(channel.b, uint64_t{1}) != 0) return;
        }
    });
    double sum = 0;
    Inbox inbox;
    for (int i = 1; i <= 500; ++i) {
        const double before = sum;
        REQUIRE_STATUS(0, send_value(channel.a, uint64_t{1}));
        REQUIRE_STATUS(1, inbox.receive(channel.a));
        REQUIRE(sum == before);
        sum += i * 0.5;
    }
    EXPECT(sum == 500 * 501 / 4.0);
    channel.a.close();
}
