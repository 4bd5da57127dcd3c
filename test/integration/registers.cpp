// Registers: what a system call leaves in them, what a new thread finds, and that no thread ever
// sees another's. Also the numbers of the calls themselves.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "raw.h"
#include "tiny.h"
#include "workers.h"

namespace {

// x0 to x31 as a system call left them.
struct Registers {
    uint64_t x[32];
};

constexpr uint64_t kPattern = 0xabcd000000000000;  // plus the register's number

// Register numbers.
constexpr int kRa = 1, kSp = 2, kGp = 3, kTp = 4, kA0 = 10, kA1 = 11, kA7 = 17;
constexpr int kTemporaries[] = {5, 6, 7, 28, 29, 30, 31};
constexpr int kSaved[] = {8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27};

}  // namespace

// Makes system call `arguments[6]` with arguments[0..5] in a0 to a5, every other register but sp
// filled with its pattern, and stores all of them into `after`. sp is stored into after->x[0]
// before the call.
extern "C" void call_with_patterns(const uint64_t arguments[7], Registers* after);

asm(R"(
    .pushsection .text
    .globl call_with_patterns
    .hidden call_with_patterns
    .type call_with_patterns, @function
call_with_patterns:
    addi sp, sp, -160
    sd ra, 0(sp)
    sd gp, 8(sp)
    sd tp, 16(sp)
    sd s0, 24(sp)
    sd s1, 32(sp)
    sd s2, 40(sp)
    sd s3, 48(sp)
    sd s4, 56(sp)
    sd s5, 64(sp)
    sd s6, 72(sp)
    sd s7, 80(sp)
    sd s8, 88(sp)
    sd s9, 96(sp)
    sd s10, 104(sp)
    sd s11, 112(sp)
    sd a1, 120(sp)
    sd sp, 0(a1)
    mv t0, a0
    ld a0, 0(t0)
    ld a1, 8(t0)
    ld a2, 16(t0)
    ld a3, 24(t0)
    ld a4, 32(t0)
    ld a5, 40(t0)
    ld a7, 48(t0)
    li t0, 0xabcd000000000000
    addi ra, t0, 1
    addi gp, t0, 3
    addi tp, t0, 4
    addi t1, t0, 6
    addi t2, t0, 7
    addi s0, t0, 8
    addi s1, t0, 9
    addi a6, t0, 16
    addi s2, t0, 18
    addi s3, t0, 19
    addi s4, t0, 20
    addi s5, t0, 21
    addi s6, t0, 22
    addi s7, t0, 23
    addi s8, t0, 24
    addi s9, t0, 25
    addi s10, t0, 26
    addi s11, t0, 27
    addi t3, t0, 28
    addi t4, t0, 29
    addi t5, t0, 30
    addi t6, t0, 31
    addi t0, t0, 5
    ecall
    sd t6, 128(sp)
    ld t6, 120(sp)
    sd ra, 8(t6)
    sd sp, 16(t6)
    sd gp, 24(t6)
    sd tp, 32(t6)
    sd t0, 40(t6)
    sd t1, 48(t6)
    sd t2, 56(t6)
    sd s0, 64(t6)
    sd s1, 72(t6)
    sd a0, 80(t6)
    sd a1, 88(t6)
    sd a2, 96(t6)
    sd a3, 104(t6)
    sd a4, 112(t6)
    sd a5, 120(t6)
    sd a6, 128(t6)
    sd a7, 136(t6)
    sd s2, 144(t6)
    sd s3, 152(t6)
    sd s4, 160(t6)
    sd s5, 168(t6)
    sd s6, 176(t6)
    sd s7, 184(t6)
    sd s8, 192(t6)
    sd s9, 200(t6)
    sd s10, 208(t6)
    sd s11, 216(t6)
    sd t3, 224(t6)
    sd t4, 232(t6)
    sd t5, 240(t6)
    ld t0, 128(sp)
    sd t0, 248(t6)
    ld ra, 0(sp)
    ld gp, 8(sp)
    ld tp, 16(sp)
    ld s0, 24(sp)
    ld s1, 32(sp)
    ld s2, 40(sp)
    ld s3, 48(sp)
    ld s4, 56(sp)
    ld s5, 64(sp)
    ld s6, 72(sp)
    ld s7, 80(sp)
    ld s8, 88(sp)
    ld s9, 96(sp)
    ld s10, 104(sp)
    ld s11, 112(sp)
    addi sp, sp, 160
    ret
    .size call_with_patterns, . - call_with_patterns
    .popsection
)");

namespace {

struct Call {
    const char* what;
    uint64_t number;
    uint64_t a[6];
};

// Makes the call and checks every register; its result.
int64_t checked_call(const Call& call) {
    const uint64_t arguments[7] = {call.a[0], call.a[1], call.a[2],  call.a[3],
                                   call.a[4], call.a[5], call.number};
    Registers after{};
    call_with_patterns(arguments, &after);
    const auto expect = [&](int number, uint64_t expected, const char* which) {
        if (after.x[number] == expected) return;
        harness::fail(__FILE__, __LINE__, "after %s x%d (%s) is 0x%llx", call.what, number, which,
                      static_cast<unsigned long long>(after.x[number]));
    };
    expect(kRa, kPattern + kRa, "ra");
    expect(kSp, after.x[0], "sp");
    expect(kGp, kPattern + kGp, "gp");
    expect(kTp, kPattern + kTp, "tp");
    for (const int saved : kSaved) {
        expect(saved, kPattern + static_cast<uint64_t>(saved), "saved");
    }
    for (const int temporary : kTemporaries) expect(temporary, 0, "temporary");
    // No call of the contract has a second result so far; what were one would be no pattern and no
    // kernel address.
    for (int argument = kA1; argument <= kA7; ++argument) expect(argument, 0, "argument");
    return static_cast<int64_t>(after.x[kA0]);
}

}  // namespace

TEST("after a system call: results, zeros, and what a function keeps") {
    const Channel channel;
    const Owned port = make_port();
    kairos_handle_t out = KAIROS_HANDLE_INVALID;
    uint32_t word = 5;
    EXPECT_EQ(0, checked_call({"nop", KAIROS_SYS_nop, {}}));
    EXPECT_EQ(0, checked_call({"yield", KAIROS_SYS_yield, {}}));
    EXPECT(checked_call({"clock_now", KAIROS_SYS_clock_now, {}}) > 0);
    EXPECT_EQ(0, checked_call({"event_create", KAIROS_SYS_event_create, {address(&out)}}));
    EXPECT_EQ(0, checked_call({"handle_close", KAIROS_SYS_handle_close, {out, 0}}));
    EXPECT_STATUS(-EBADF,
                  checked_call({"a failing close", KAIROS_SYS_handle_close, {out, 0, 1, 2, 3, 4}}));
    EXPECT_STATUS(-EINVAL, checked_call({"a bad flag", KAIROS_SYS_handle_close, {out, 9}}));
    EXPECT_STATUS(-EFAULT, checked_call({"a bad pointer", KAIROS_SYS_event_create, {0}}));
    EXPECT_STATUS(-ETIMEDOUT, checked_call({"a sleep that ends",
                                            KAIROS_SYS_futex_wait,
                                            {address(&word), 5, kairos_clock_now() + 100'000}}));
    EXPECT_EQ(
        0, checked_call({"sleep_until", KAIROS_SYS_sleep_until, {kairos_clock_now() + 100'000}}));
    EXPECT_STATUS(-ENOSYS, checked_call({"an unknown call", KAIROS_SYS_COUNT, {1, 2, 3, 4, 5, 6}}));
    EXPECT_STATUS(-ENOSYS, checked_call({"the largest number", ~uint64_t{0}, {}}));
    EXPECT_STATUS(
        -EAGAIN, checked_call({"port_wait", KAIROS_SYS_port_wait, {port, address(&out), 1, 1, 0}}));
}

TEST("after send, receive and call") {
    const Channel channel;
    char bytes[64] = "text";
    const kairos_channel_msg out = message_of(bytes, 64);
    kairos_channel_msg in = message_of(bytes, 64);
    EXPECT_EQ(0, checked_call(
                     {"send", KAIROS_SYS_channel_send, {channel.a, address(&out), 0, kForever}}));
    EXPECT_EQ(
        1, checked_call({"recv", KAIROS_SYS_channel_recv, {channel.b, address(&in), 0, kForever}}));
    EXPECT_STATUS(-EAGAIN, checked_call({"an empty recv",
                                         KAIROS_SYS_channel_recv,
                                         {channel.b, address(&in), 1, kForever}}));
    EXPECT_STATUS(-ETIMEDOUT, checked_call({"call",
                                            KAIROS_SYS_channel_call,
                                            {channel.a, address(&out), address(&in), kPast}}));
}

TEST("after a receive that slept") {
    const Channel channel;
    char bytes[64];
    kairos_channel_msg in = message_of(bytes, 64);
    Blocked receiver([&] {
        return checked_call(
            {"a recv that slept", KAIROS_SYS_channel_recv, {channel.b, address(&in), 0, kForever}});
    });
    REQUIRE_STATUS(0, send_text(channel.a, "wake"));
    EXPECT_STATUS(1, receiver.result());
}

// ---- Numbers and arguments
// -----------------------------------------------------------------------

TEST("an unknown number is -ENOSYS") {
    for (const uint64_t number :
         {uint64_t{KAIROS_SYS_COUNT}, uint64_t{KAIROS_SYS_COUNT} + 1, uint64_t{1000},
          uint64_t{1} << 31, uint64_t{1} << 32, (uint64_t{1} << 32) + KAIROS_SYS_nop,
          uint64_t{1} << 61, uint64_t{1} << 63, ~uint64_t{0}}) {
        EXPECT_STATUS(-ENOSYS, raw_call(number));
        EXPECT_STATUS(-ENOSYS, raw_call(number, ~uint64_t{0}, ~uint64_t{0}, 1, 2, 3, 4));
    }
}

TEST("32-bit arguments are the low half of their register") {
    const Channel channel;
    const Owned event = make_event();
    const Owned port = make_port();
    kairos_handle_t copy = KAIROS_HANDLE_INVALID;
    EXPECT_STATUS(
        0, raw_call(KAIROS_SYS_handle_duplicate, dirty(event), dirty(KRIGHT_SAME), address(&copy)));
    EXPECT_EQ(id_of(event), id_of(copy));
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_handle_close, dirty(copy), dirty(0)));
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_object_signal, dirty(event), dirty(0), dirty(1u << 8)));
    const kairos_channel_msg message = message_of("x");
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_channel_send, dirty(channel.a), address(&message),
                              dirty(KCHANNEL_OPT_NONBLOCK), kForever));
    Inbox inbox;
    EXPECT_STATUS(1, raw_call(KAIROS_SYS_channel_recv, dirty(channel.b), address(inbox.fresh()),
                              dirty(KCHANNEL_OPT_NONBLOCK), kForever));
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_port_bind, dirty(port), dirty(event), 1, dirty(1u << 8)));
    kairos_port_packet packet{};
    EXPECT_STATUS(1, raw_call(KAIROS_SYS_port_wait, dirty(port), address(&packet), dirty(1),
                              dirty(KPORT_WAIT_NONBLOCK), kForever));
    uint32_t revents = 0;
    EXPECT_STATUS(
        0, raw_call(KAIROS_SYS_object_poll, dirty(channel.a), dirty(POLLOUT), address(&revents)));
    EXPECT_EQ(POLLOUT, revents);
    const uint32_t word = 5;
    EXPECT_STATUS(-ETIMEDOUT, raw_call(KAIROS_SYS_futex_wait, address(&word), dirty(5), kPast));
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_futex_wake, address(&word), dirty(1)));
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_thread_set_priority, dirty(kairos_self_thread()),
                              dirty(KPRIORITY_USUAL)));
}

TEST("every call survives arguments that make no sense") {
    const uint64_t senseless[] = {
        0, 1, 7, ~uint64_t{0}, uint64_t{1} << 63, 0xffffffc080200000, uint64_t{1} << 38, 0x1000};
    Random random(7);
    for (uint64_t number = 0; number < KAIROS_SYS_COUNT; ++number) {
        // These end something, or sleep for ever, with arguments that do make sense.
        if (number == KAIROS_SYS_process_exit || number == KAIROS_SYS_thread_exit ||
            number == KAIROS_SYS_sleep_until || number == KAIROS_SYS_fd_poll) {
            continue;
        }
        // These change 0 and 1, which are descriptors.
        if (number == KAIROS_SYS_fd_close || number == KAIROS_SYS_fd_dup2 ||
            number == KAIROS_SYS_fd_rights_limit || number == KAIROS_SYS_fd_flags) {
            continue;
        }
        for (int round = 0; round < 40; ++round) {
            uint64_t a[6];
            for (uint64_t& argument : a) argument = senseless[random.below(8)];
            raw_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        }
    }
    for (int fd = 3; fd < static_cast<int>(KFD_MAX_PER_PROCESS); ++fd) kairos_fd_close(fd);
}

// ---- A new thread
// --------------------------------------------------------------------------------

// Stores x1 to x31 and f0 to f31 from kDump on, which is 0x800 below sp, then fcsr; exits.
SNIPPET(tiny_dump,
        "sd x1, 8-0x800(sp)\n sd x2, 16-0x800(sp)\n sd x3, 24-0x800(sp)\n"
        "sd x4, 32-0x800(sp)\n sd x5, 40-0x800(sp)\n sd x6, 48-0x800(sp)\n"
        "sd x7, 56-0x800(sp)\n sd x8, 64-0x800(sp)\n sd x9, 72-0x800(sp)\n"
        "sd x10, 80-0x800(sp)\n sd x11, 88-0x800(sp)\n sd x12, 96-0x800(sp)\n"
        "sd x13, 104-0x800(sp)\n sd x14, 112-0x800(sp)\n sd x15, 120-0x800(sp)\n"
        "sd x16, 128-0x800(sp)\n sd x17, 136-0x800(sp)\n sd x18, 144-0x800(sp)\n"
        "sd x19, 152-0x800(sp)\n sd x20, 160-0x800(sp)\n sd x21, 168-0x800(sp)\n"
        "sd x22, 176-0x800(sp)\n sd x23, 184-0x800(sp)\n sd x24, 192-0x800(sp)\n"
        "sd x25, 200-0x800(sp)\n sd x26, 208-0x800(sp)\n sd x27, 216-0x800(sp)\n"
        "sd x28, 224-0x800(sp)\n sd x29, 232-0x800(sp)\n sd x30, 240-0x800(sp)\n"
        "sd x31, 248-0x800(sp)\n fsd f0, 256-0x800(sp)\n fsd f1, 264-0x800(sp)\n"
        "fsd f2, 272-0x800(sp)\n fsd f3, 280-0x800(sp)\n fsd f4, 288-0x800(sp)\n"
        "fsd f5, 296-0x800(sp)\n fsd f6, 304-0x800(sp)\n fsd f7, 312-0x800(sp)\n"
        "fsd f8, 320-0x800(sp)\n fsd f9, 328-0x800(sp)\n fsd f10, 336-0x800(sp)\n"
        "fsd f11, 344-0x800(sp)\n fsd f12, 352-0x800(sp)\n fsd f13, 360-0x800(sp)\n"
        "fsd f14, 368-0x800(sp)\n fsd f15, 376-0x800(sp)\n fsd f16, 384-0x800(sp)\n"
        "fsd f17, 392-0x800(sp)\n fsd f18, 400-0x800(sp)\n fsd f19, 408-0x800(sp)\n"
        "fsd f20, 416-0x800(sp)\n fsd f21, 424-0x800(sp)\n fsd f22, 432-0x800(sp)\n"
        "fsd f23, 440-0x800(sp)\n fsd f24, 448-0x800(sp)\n fsd f25, 456-0x800(sp)\n"
        "fsd f26, 464-0x800(sp)\n fsd f27, 472-0x800(sp)\n fsd f28, 480-0x800(sp)\n"
        "fsd f29, 488-0x800(sp)\n fsd f30, 496-0x800(sp)\n fsd f31, 504-0x800(sp)\n"
        "frcsr t1\n sd t1, 8*64-0x800(sp)\n" TINY_THEN_EXIT);
constexpr uint64_t kDump = 0x800;

TEST("a new process begins with zeros, whoever ran before") {
    // Something of every FPU register's own in this hart's registers, as far as the compiler lets.
    asm volatile("fmv.d.x f0, %0\n fmv.d.x f9, %0\n fmv.d.x f31, %0" ::"r"(kPattern)
                 : "f0", "f9", "f31");
    TinyProcess tiny;
    tiny.set_code(tiny_dump, tiny_dump_end);
    Channel channel;
    tiny.start(std::move(channel.b), kPattern);
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
    uint64_t dump[65];
    REQUIRE_STATUS(0, kairos_memory_read(tiny.data_memory(), kDump, dump, sizeof(dump)));
    for (uint64_t i = 1; i < 65; ++i) {
        uint64_t expected = 0;
        if (i == kSp) expected = kTinyStackTop;
        if (i == kA1) expected = kPattern;
        if (i == kA0) {
            EXPECT(dump[i] != 0 && dump[i] <= UINT32_MAX);
            continue;
        }
        if (dump[i] != expected) {
            harness::fail(__FILE__, __LINE__, "%c%llu is 0x%llx", i < 32 ? 'x' : 'f',
                          static_cast<unsigned long long>(i % 32),
                          static_cast<unsigned long long>(dump[i]));
        }
    }
}
