// Stopping threads, their registers, and exceptions: what a debugger does.
#include "harness.h"
#include "hostile.h"
#include "tiny.h"
#include "workers.h"

namespace {

using General = kairos_thread_general;
using Float = kairos_thread_float;

// Registers as the ISA numbers them.
constexpr int kSp = 2;
constexpr int kTp = 4;
constexpr int kA0 = 10;
constexpr int kA1 = 11;
constexpr int kA7 = 17;

General general_of(kairos_handle_t thread) {
    General state{};
    REQUIRE_STATUS(sizeof(state), kairos_thread_read_state(thread, KTHREAD_STATE_GENERAL, &state,
                                                           sizeof(state), KAIROS_TIME_INFINITE));
    return state;
}

void set_general(kairos_handle_t thread, const General& state) {
    REQUIRE_STATUS(sizeof(state), kairos_thread_write_state(thread, KTHREAD_STATE_GENERAL, &state,
                                                            sizeof(state), KAIROS_TIME_INFINITE));
}

Float float_of(kairos_handle_t thread) {
    Float state{};
    REQUIRE_STATUS(sizeof(state), kairos_thread_read_state(thread, KTHREAD_STATE_FLOAT, &state,
                                                           sizeof(state), KAIROS_TIME_INFINITE));
    return state;
}

void suspend(kairos_handle_t thread) { REQUIRE_STATUS(0, kairos_thread_suspend(thread)); }
void resume(kairos_handle_t thread) { REQUIRE_STATUS(0, kairos_thread_resume(thread)); }

// Puts a stopped thread of a tiny process to the end of its life: exit(kTinyExitCode).
void let_exit(kairos_handle_t thread, TinyProcess& tiny, uint64_t code = kTinyExitCode) {
    tiny.set_code(tiny_exit, tiny_exit_end);
    General state = general_of(thread);
    state.pc = kTinyCode;
    state.x[kA1] = code;
    set_general(thread, state);
}

// Loads a page that shows whether it ran on; loops for ever.
SNIPPET(spin_with_marks,
        "li s2, 0x222\n"
        "li s11, 0xbbb\n"
        "li tp, 0x444\n"
        "li t6, 0x666\n"
        "1: addi s3, s3, 1\n"
        "j 1b");
// f5 and f31 get values from data, then the thread spins; when s4 is not 0, it stores f5 into
// TinyData::result and exits with what is in a1.
SNIPPET(spin_with_floats,
        ".option push\n .option arch, +d\n"
        "lui t0, 0x20\n"
        "fld f5, 0(t0)\n"
        "fld f31, 8(t0)\n"
        "1: beqz s4, 1b\n"
        "fsd f5, 64(t0)\n"
        "ld a7, 80(t0)\n"
        "mv a0, a1\n"
        "ecall\n"
        ".option pop");

struct Supervised {
    TinyProcess tiny;
    Owned channel;  // where its exceptions arrive

    Supervised() {
        Channel pair;
        REQUIRE_STATUS(0, kairos_process_set_exception_channel(tiny.process, pair.b));
        static_cast<void>(pair.b.release());
        channel = std::move(pair.a);
    }
};

struct Exception {
    kairos_exception report;
    Owned thread;
    uint64_t txid;
};

Exception next_exception(kairos_handle_t channel) {
    Exception result;
    kairos_channel_msg message = {.bytes = &result.report,
                                  .handles = result.thread.out(),
                                  .num_bytes = sizeof(result.report),
                                  .num_handles = 1,
                                  .txid = 0};
    REQUIRE_STATUS(1, kairos_channel_recv(channel, &message, 0, KAIROS_TIME_INFINITE));
    REQUIRE_EQ(sizeof(result.report), message.num_bytes);
    REQUIRE_EQ(1u, message.num_handles);
    REQUIRE(message.txid != 0);
    result.txid = message.txid;
    return result;
}

kairos_status_t answer(kairos_handle_t channel, uint64_t txid, uint32_t action,
                       uint32_t size = sizeof(uint32_t)) {
    const uint32_t bytes[2] = {action, 0};
    const kairos_channel_msg message = {.bytes = const_cast<uint32_t*>(bytes),
                                        .handles = nullptr,
                                        .num_bytes = size,
                                        .num_handles = 0,
                                        .txid = txid};
    return kairos_channel_send(channel, &message, 0, KAIROS_TIME_INFINITE);
}

}  // namespace

// ---- Suspending ---------------------------------------------------------------------------------

TEST("suspend and resume: errors in their order") {
    const Owned event = make_event();
    TinyProcess tiny;
    const Owned mute = without(tiny.thread, KRIGHT_MANAGE);
    for (const auto call : {kairos_thread_suspend, kairos_thread_resume}) {
        EXPECT_STATUS(-EBADF, call(closed_handle()));
        EXPECT_STATUS(-ENOTSUP, call(event));
        EXPECT_STATUS(-EACCES, call(mute));
    }
    EXPECT_STATUS(-EINVAL, kairos_thread_resume(tiny.thread));
    for (uint32_t i = 0; i < KTHREAD_MAX_SUSPENSIONS; ++i) suspend(tiny.thread);
    EXPECT_STATUS(-EAGAIN, kairos_thread_suspend(tiny.thread));
    for (uint32_t i = 0; i < KTHREAD_MAX_SUSPENSIONS; ++i) resume(tiny.thread);
    EXPECT_STATUS(-EINVAL, kairos_thread_resume(tiny.thread));
    tiny.set_code(tiny_exit, tiny_exit_end);
    tiny.start({}, 7);
    EXPECT_EQ(7, tiny.exit_code());
    EXPECT_STATUS(-ESRCH, kairos_thread_suspend(tiny.thread));
    EXPECT_STATUS(-EINVAL, kairos_thread_resume(tiny.thread));
}

TEST("read_state and write_state: errors in their order") {
    const BadPointers bad;
    const Owned event = make_event();
    TinyProcess tiny;
    const Owned mute = without(tiny.thread, KRIGHT_MANAGE);
    const kairos_handle_t closed = closed_handle();
    General state{};
    const auto both = [&](kairos_status_t expected, kairos_handle_t thread, uint32_t which,
                          void* buffer, size_t size) {
        EXPECT_STATUS(expected, kairos_thread_read_state(thread, which, buffer, size, 0));
        EXPECT_STATUS(expected, kairos_thread_write_state(thread, which, buffer, size, 0));
    };
    both(-EINVAL, closed, 0, bad.kernel(), 0);
    both(-EINVAL, closed, 3, bad.kernel(), 0);
    both(-EMSGSIZE, closed, KTHREAD_STATE_GENERAL, bad.kernel(), sizeof(General) - 1);
    both(-EMSGSIZE, closed, KTHREAD_STATE_FLOAT, bad.kernel(), sizeof(Float) - 1);
    both(-EFAULT, closed, KTHREAD_STATE_GENERAL, bad.kernel(), sizeof(General));
    both(-EBADF, closed, KTHREAD_STATE_GENERAL, &state, sizeof(state));
    both(-ENOTSUP, event, KTHREAD_STATE_GENERAL, &state, sizeof(state));
    both(-EACCES, mute, KTHREAD_STATE_GENERAL, &state, sizeof(state));
    both(-ETIMEDOUT, tiny.thread, KTHREAD_STATE_GENERAL, &state, sizeof(state));
    both(-ETIMEDOUT, kairos_self_thread(), KTHREAD_STATE_GENERAL, &state, sizeof(state));
    suspend(tiny.thread);
    tiny.set_code(tiny_exit, tiny_exit_end);
    tiny.start();
    static_cast<void>(general_of(tiny.thread));
    both(-EFAULT, tiny.thread, KTHREAD_STATE_GENERAL, bad.unreachable(), sizeof(state));
    resume(tiny.thread);
    static_cast<void>(tiny.exit_code());
    both(-ESRCH, tiny.thread, KTHREAD_STATE_GENERAL, &state, sizeof(state));
}

TEST("a thread suspended before its start stops before its first instruction") {
    TinyProcess tiny;
    tiny.set_code(tiny_exit, tiny_exit_end);
    suspend(tiny.thread);
    tiny.start({}, 5);
    const General state = general_of(tiny.thread);
    EXPECT_EQ(kTinyCode, state.pc);
    EXPECT_EQ(kTinyStackTop, state.x[kSp]);
    EXPECT_EQ(0u, state.x[0]);
    EXPECT_EQ(0u, state.x[kA0]);
    EXPECT_EQ(5u, state.x[kA1]);
    EXPECT_EQ(uint32_t{KAIROS_THREAD_STOPPED}, thread_info(tiny.thread).state);
    resume(tiny.thread);
    EXPECT_EQ(5, tiny.exit_code());
}

TEST("a running thread: every register is read and written") {
    TinyProcess tiny;
    tiny.set_code(spin_with_marks, spin_with_marks_end);
    tiny.start();
    General state{};
    // The marks are set within its first instructions.
    do {
        suspend(tiny.thread);
        state = general_of(tiny.thread);
        resume(tiny.thread);
        kairos_yield();  // on one hart it runs now, or whenever we are switched away from here
    } while (state.x[31] != 0x666);
    suspend(tiny.thread);
    state = general_of(tiny.thread);
    EXPECT_EQ(0x222u, state.x[18]);
    EXPECT_EQ(0xbbbu, state.x[27]);
    EXPECT_EQ(0x444u, state.x[kTp]);
    EXPECT(state.pc >= kTinyCode && state.pc < kTinyCode + 64);
    // It stands still.
    EXPECT_EQ(state.x[19], general_of(tiny.thread).x[19]);
    for (int i = 1; i < 32; ++i) state.x[i] = 0x1000u + i;
    state.x[0] = 99;
    set_general(tiny.thread, state);
    const General back = general_of(tiny.thread);
    EXPECT_EQ(0u, back.x[0]);
    for (int i = 1; i < 32; ++i) EXPECT_EQ(0x1000u + i, back.x[i]);
    resume(tiny.thread);
    suspend(tiny.thread);
    const General later = general_of(tiny.thread);
    for (int i = 1; i < 32; ++i) {
        if (i != 19) EXPECT_EQ(0x1000u + i, later.x[i]);
    }
    let_exit(tiny.thread, tiny);
    resume(tiny.thread);
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
}

TEST("floating-point registers are read and written") {
    TinyProcess tiny;
    TinyData data = tiny.data();
    data.arguments[0] = 0x4000000000000000;
    data.arguments[1] = 0x4010000000000000;
    tiny.set_data(data);
    tiny.set_code(spin_with_floats, spin_with_floats_end);
    suspend(tiny.thread);
    tiny.start({}, kTinyExitCode);
    const Float nothing = float_of(tiny.thread);
    for (const uint64_t value : nothing.f) EXPECT_EQ(0u, value);
    Float state{};
    do {
        resume(tiny.thread);
        kairos_yield();
        suspend(tiny.thread);
        state = float_of(tiny.thread);
    } while (state.f[31] == 0);
    EXPECT_EQ(0x4000000000000000u, state.f[5]);
    EXPECT_EQ(0x4010000000000000u, state.f[31]);
    state.f[5] = 0x3ff8000000000000;
    state.fcsr = UINT64_MAX;
    REQUIRE_STATUS(sizeof(state), kairos_thread_write_state(tiny.thread, KTHREAD_STATE_FLOAT,
                                                            &state, sizeof(state), 0));
    EXPECT_EQ(0xffu, float_of(tiny.thread).fcsr);
    General general = general_of(tiny.thread);
    general.x[20] = 1;
    set_general(tiny.thread, general);
    resume(tiny.thread);
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
    EXPECT_EQ(int64_t{0x3ff8000000000000}, tiny.data().result);
}

TEST("hostile registers are a fault and nothing else") {
    const uint64_t places[] = {0,
                               1,
                               UINT64_MAX,
                               0xffffffc000000000,
                               0xfffffffffffff000,
                               uint64_t{1} << 38,
                               uint64_t{1} << 63,
                               0x20000};
    for (const uint64_t pc : places) {
        TinyProcess tiny;
        tiny.set_code(tiny_spin, tiny_spin_end);
        tiny.start();
        suspend(tiny.thread);
        General state = general_of(tiny.thread);
        for (uint64_t& x : state.x) x = pc;
        state.pc = pc;
        set_general(tiny.thread, state);
        resume(tiny.thread);
        EXPECT_EQ(-EFAULT, tiny.exit_code());
    }
}

TEST("a call that is blocked stays blocked; its thread stops as it returns") {
    Channel channel;
    Owned near = std::move(channel.a);
    TinyProcess tiny;
    tiny.prepare_call(KAIROS_SYS_channel_recv, tiny.put(kairos_channel_msg{}), 0, UINT64_MAX);
    tiny.start(std::move(channel.b));
    REQUIRE(wait_until_blocked(tiny.thread));
    suspend(tiny.thread);
    General state{};
    EXPECT_STATUS(-ETIMEDOUT, kairos_thread_read_state(tiny.thread, KTHREAD_STATE_GENERAL, &state,
                                                       sizeof(state), 0));
    EXPECT_EQ(uint32_t{KAIROS_THREAD_BLOCKED}, thread_info(tiny.thread).state);
    kairos_channel_msg empty{};
    REQUIRE_STATUS(0, kairos_channel_send(near, &empty, 0, KAIROS_TIME_INFINITE));
    state = general_of(tiny.thread);
    EXPECT_EQ(1u, state.x[kA0]);
    EXPECT_EQ(0u, state.x[kA7]);
    EXPECT_EQ(0u, tiny.data().returned);
    resume(tiny.thread);
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
    EXPECT_EQ(1, tiny.data().result);
}

TEST("an interrupt while stopped is kept for the next call") {
    TinyProcess tiny;
    tiny.prepare_plain_call(KAIROS_SYS_sleep_until, UINT64_MAX);
    suspend(tiny.thread);
    tiny.start();
    static_cast<void>(general_of(tiny.thread));
    REQUIRE_STATUS(0, kairos_thread_interrupt(tiny.thread));
    resume(tiny.thread);
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
    EXPECT_STATUS(-EINTR, tiny.data().result);
}

TEST("killing a stopped thread's process") {
    TinyProcess tiny;
    tiny.set_code(tiny_spin, tiny_spin_end);
    tiny.start();
    suspend(tiny.thread);
    static_cast<void>(general_of(tiny.thread));
    EXPECT_STATUS(0, kairos_process_kill(tiny.process, 12));
    EXPECT_EQ(12, tiny.exit_code());
}

TEST("a thread suspends itself and is resumed by another") {
    std::atomic<int> step{0};
    Worker worker([&] {
        step.store(1);
        EXPECT_STATUS(0, kairos_thread_suspend(kairos_self_thread()));
        step.store(2);
    });
    static_cast<void>(general_of(worker.thread()));
    EXPECT_EQ(1, step.load());
    resume(worker.thread());
    worker.join();
    EXPECT_EQ(2, step.load());
}

TEST("who waits for a stop hears of the end, an interrupt and a revocation") {
    TinyProcess tiny;
    tiny.set_code(tiny_spin, tiny_spin_end);
    tiny.start();
    General state{};
    const auto read = [&](kairos_handle_t thread) {
        return kairos_thread_read_state(thread, KTHREAD_STATE_GENERAL, &state, sizeof(state),
                                        KAIROS_TIME_INFINITE);
    };
    {
        Blocked reader([&] { return read(tiny.thread); });
        reader.interrupt();
        EXPECT_STATUS(-EINTR, reader.result());
    }
    {
        Owned copy = duplicate(tiny.thread);
        Blocked reader([&] { return read(copy); });
        REQUIRE_STATUS(0, kairos_handle_revoke(tiny.thread));
        EXPECT_STATUS(-ECANCELED, reader.result());
        static_cast<void>(copy.release());
    }
    {
        Blocked reader([&] { return read(tiny.thread); });
        REQUIRE_STATUS(0, kairos_process_kill(tiny.process, 1));
        EXPECT_STATUS(-ESRCH, reader.result());
    }
}

TEST("suspend, look, resume: a thousand times against a thread that calls") {
    TinyProcess tiny;
    tiny.prepare_plain_call(KAIROS_SYS_nop);
    tiny.set_code(tiny_repeat, tiny_repeat_end);
    tiny.start();
    for (int i = 0; i < 1000; ++i) {
        suspend(tiny.thread);
        const General state = general_of(tiny.thread);
        REQUIRE(state.pc >= kTinyCode && state.pc < kTinyCode + 128);
        set_general(tiny.thread, state);
        resume(tiny.thread);
    }
    EXPECT_STATUS(0, kairos_process_kill(tiny.process, 3));
    EXPECT_EQ(3, tiny.exit_code());
}

TEST("what was revoked during one call does not end the next") {
    const Owned event = make_event();
    Owned copy = duplicate(event);
    std::atomic<uint32_t> word{0};
    kairos_status_t second = INT64_MIN;
    Blocked waiter([&] {
        uint32_t revents = 0;
        const kairos_status_t first =
            kairos_object_wait(copy, KAIROS_POLLIN, KAIROS_TIME_INFINITE, &revents);
        second = kairos_sleep_until(kairos_clock_now() + 1);
        return first;
    });
    REQUIRE_STATUS(0, kairos_handle_revoke(event));
    EXPECT_STATUS(-ECANCELED, waiter.result());
    EXPECT_STATUS(0, second);
    static_cast<void>(copy.release());
}

// ---- Exceptions ---------------------------------------------------------------------------------

TEST("set_exception_channel: errors in their order") {
    const Owned event = make_event();
    Channel channel;
    TinyProcess tiny;
    const Owned mute = without(tiny.process, KRIGHT_MANAGE);
    const Owned stuck = without(channel.b, KRIGHT_TRANSFER);
    const Owned silent = without(channel.b, KRIGHT_WRITE);
    const kairos_handle_t closed = closed_handle();
    EXPECT_STATUS(-EBADF, kairos_process_set_exception_channel(closed, closed));
    EXPECT_STATUS(-ENOTSUP, kairos_process_set_exception_channel(event, closed));
    EXPECT_STATUS(-EACCES, kairos_process_set_exception_channel(mute, closed));
    EXPECT_STATUS(-EBADF, kairos_process_set_exception_channel(tiny.process, closed));
    EXPECT_STATUS(-ENOTSUP, kairos_process_set_exception_channel(tiny.process, event));
    EXPECT_STATUS(-EACCES, kairos_process_set_exception_channel(tiny.process, stuck));
    EXPECT_STATUS(-EACCES, kairos_process_set_exception_channel(tiny.process, silent));
    EXPECT_STATUS(0, kairos_process_set_exception_channel(tiny.process, KAIROS_HANDLE_INVALID));
    tiny.set_code(tiny_exit, tiny_exit_end);
    tiny.start();
    static_cast<void>(tiny.exit_code());
    EXPECT_STATUS(-ESRCH, kairos_process_set_exception_channel(tiny.process, channel.b));
    EXPECT(is_valid(channel.b));
}

TEST("a fault is reported with its thread, fixed and resumed") {
    Supervised it;
    it.tiny.set_code(tiny_load, tiny_load_end);
    it.tiny.start({}, 0x777000);
    const Exception exception = next_exception(it.channel);
    EXPECT_EQ(KEXCEPTION_PAGE, exception.report.kind);
    EXPECT_EQ(13u, exception.report.cause);
    EXPECT_EQ(kTinyCode, exception.report.pc);
    EXPECT_EQ(0x777000u, exception.report.address);
    EXPECT_EQ(id_of(it.tiny.process), exception.report.process_id);
    EXPECT_EQ(id_of(it.tiny.thread), exception.report.thread_id);
    EXPECT_EQ(id_of(it.tiny.thread), id_of(exception.thread));
    General state = general_of(exception.thread);
    EXPECT_EQ(0x777000u, state.x[kA1]);
    state.x[kA1] = kTinyData;  // the same instruction works now
    set_general(exception.thread, state);
    EXPECT_STATUS(0, answer(it.channel, exception.txid, KEXCEPTION_RESUME));
    EXPECT_EQ(kTinyExitCode, it.tiny.exit_code());
}

TEST("resumed without a fix, the same fault is reported again") {
    Supervised it;
    it.tiny.set_code(tiny_illegal, tiny_illegal_end);
    it.tiny.start();
    for (int i = 0; i < 3; ++i) {
        const Exception exception = next_exception(it.channel);
        EXPECT_EQ(KEXCEPTION_ILLEGAL, exception.report.kind);
        EXPECT_STATUS(0, answer(it.channel, exception.txid, KEXCEPTION_RESUME));
    }
    const Exception last = next_exception(it.channel);
    EXPECT_STATUS(0, answer(it.channel, last.txid, KEXCEPTION_DECLINE));
    EXPECT_EQ(-EFAULT, it.tiny.exit_code());
}

TEST("a breakpoint is passed over") {
    Supervised it;
    it.tiny.set_code(tiny_breakpoint, tiny_breakpoint_end);
    it.tiny.start();
    const Exception exception = next_exception(it.channel);
    EXPECT_EQ(KEXCEPTION_BREAKPOINT, exception.report.kind);
    General state = general_of(exception.thread);
    EXPECT_EQ(kTinyCode, state.pc);
    state.pc += 4;
    set_general(exception.thread, state);
    EXPECT_STATUS(0, answer(it.channel, exception.txid, KEXCEPTION_RESUME));
    EXPECT_EQ(kTinyExitCode, it.tiny.exit_code());
}

TEST("declined in every way, the process ends with its report") {
    const auto ended = [](Supervised& it) {
        EXPECT_EQ(-EFAULT, it.tiny.exit_code());
        const kairos_info_process info = process_info(it.tiny.process);
        EXPECT_EQ(15u, info.fault_cause);
        EXPECT_EQ(kTinyCode, info.fault_pc);
        EXPECT_EQ(0x777000u, info.fault_address);
    };
    const auto fault = [](Supervised& it) {
        it.tiny.set_code(tiny_store, tiny_store_end);
        it.tiny.start({}, 0x777000);
    };
    {
        Supervised it;
        fault(it);
        EXPECT_STATUS(0, answer(it.channel, next_exception(it.channel).txid, KEXCEPTION_DECLINE));
        ended(it);
    }
    for (const uint32_t size : {0u, 1u, 8u}) {  // no answer at all
        Supervised it;
        fault(it);
        EXPECT_STATUS(0,
                      answer(it.channel, next_exception(it.channel).txid, KEXCEPTION_RESUME, size));
        ended(it);
    }
    {
        Supervised it;
        fault(it);
        static_cast<void>(next_exception(it.channel));
        it.channel.close();
        ended(it);
    }
    {
        Supervised it;
        fault(it);
        static_cast<void>(next_exception(it.channel));
        EXPECT_STATUS(0, kairos_process_set_exception_channel(it.tiny.process, 0));
        ended(it);
    }
    {
        Supervised it;
        it.channel.close();
        fault(it);
        ended(it);
    }
}

TEST("in an exception: interrupts are kept, kill works, suspension adds up") {
    Supervised it;
    it.tiny.prepare_plain_call(KAIROS_SYS_sleep_until, UINT64_MAX);
    suspend(it.tiny.thread);
    it.tiny.start();
    General state = general_of(it.tiny.thread);
    state.pc = 0x777000;
    set_general(it.tiny.thread, state);
    resume(it.tiny.thread);
    const Exception exception = next_exception(it.channel);
    EXPECT_EQ(uint32_t{KAIROS_THREAD_STOPPED}, thread_info(exception.thread).state);
    EXPECT_STATUS(0, kairos_thread_interrupt(exception.thread));
    suspend(exception.thread);
    state = general_of(exception.thread);
    state.pc = kTinyCode;
    set_general(exception.thread, state);
    EXPECT_STATUS(0, answer(it.channel, exception.txid, KEXCEPTION_RESUME));
    EXPECT_EQ(kTinyCode, general_of(exception.thread).pc);
    resume(exception.thread);
    EXPECT_EQ(kTinyExitCode, it.tiny.exit_code());
    EXPECT_STATUS(-EINTR, it.tiny.data().result);

    Supervised doomed;
    doomed.tiny.set_code(tiny_illegal, tiny_illegal_end);
    doomed.tiny.start();
    const Exception pending = next_exception(doomed.channel);
    EXPECT_STATUS(0, kairos_process_kill(doomed.tiny.process, 21));
    EXPECT_EQ(21, doomed.tiny.exit_code());
    EXPECT_STATUS(-EPIPE, answer(doomed.channel, pending.txid, KEXCEPTION_RESUME));
    kairos_channel_msg message{};
    EXPECT_STATUS(0, kairos_channel_recv(doomed.channel, &message, 0, KAIROS_TIME_INFINITE));
}

TEST("a process whose budget is exhausted can still be looked at") {
    const Owned budget = [] {
        Owned made;
        REQUIRE_STATUS(0, kairos_budget_create(0, 64 * KAIROS_PAGE_SIZE, made.out()));
        return made;
    }();
    Channel channel;
    TinyProcess tiny(budget);
    REQUIRE_STATUS(0, kairos_process_set_exception_channel(tiny.process, channel.b));
    static_cast<void>(channel.b.release());
    tiny.set_code(tiny_store, tiny_store_end);
    suspend(tiny.thread);
    tiny.start({}, 0x777000);
    static_cast<void>(general_of(tiny.thread));
    // Use up what is left.
    Owned rest;
    const auto info = info_of<kairos_info_budget>(budget, KAIROS_INFO_BUDGET);
    REQUIRE_STATUS(0, kairos_budget_create(budget, info.limit - info.used, rest.out()));
    resume(tiny.thread);
    const Exception exception = next_exception(channel.a);
    EXPECT_EQ(KEXCEPTION_PAGE, exception.report.kind);
    EXPECT_STATUS(0, answer(channel.a, exception.txid, KEXCEPTION_DECLINE));
    EXPECT_EQ(-EFAULT, tiny.exit_code());
}

TEST("children inherit no exception channel") {
    Channel channel;
    REQUIRE_STATUS(0, kairos_process_set_exception_channel(kairos_self_process(), channel.b));
    static_cast<void>(channel.b.release());
    TinyProcess tiny;
    tiny.set_code(tiny_illegal, tiny_illegal_end);
    tiny.start();
    EXPECT_EQ(-EFAULT, tiny.exit_code());
    EXPECT_EQ(0u, queued_in(channel.a));
    REQUIRE_STATUS(0, kairos_process_set_exception_channel(kairos_self_process(), 0));
}
